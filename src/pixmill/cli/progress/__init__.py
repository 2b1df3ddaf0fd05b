"""The display of a run in progress."""
