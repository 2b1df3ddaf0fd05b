"""Detecting changes in a source."""
