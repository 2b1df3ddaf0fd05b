"""The workers of one machine: which attempts each one gets, and what happens when one dies."""
