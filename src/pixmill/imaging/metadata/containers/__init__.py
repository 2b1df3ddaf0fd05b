"""Metadata in each file format."""
