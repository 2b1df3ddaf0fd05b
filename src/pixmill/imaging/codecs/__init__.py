"""Codecs, one file per image format, found by module name."""
