"""Ledgers, one file each, looked up by module name."""
