"""Codecs, one file per image format, discovered by module name."""
