"""Storage schemes, one file each, found by module name."""
