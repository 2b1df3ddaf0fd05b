"""Watching a hot folder: detecting changes, waiting until files are complete, and turning them into tasks."""
