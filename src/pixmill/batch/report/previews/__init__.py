"""Previews for the report, made by workers."""
