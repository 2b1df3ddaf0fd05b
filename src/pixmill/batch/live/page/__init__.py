"""The contents of the live page."""
