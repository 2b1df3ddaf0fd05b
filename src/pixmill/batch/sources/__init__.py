"""Sources, one file each: what yields the inputs of a run."""
