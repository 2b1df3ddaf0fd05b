"""The metrics and events of a run, and the files that they are written to."""
