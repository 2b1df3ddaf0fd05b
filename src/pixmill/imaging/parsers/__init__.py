"""Parsers for the headers of image files, without a decoder."""
