"""The workers of one machine: who gets what, and what happens when one dies."""
