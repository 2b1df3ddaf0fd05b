"""Commands, one file each, found by module name."""
