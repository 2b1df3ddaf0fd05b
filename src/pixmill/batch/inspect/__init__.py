"""Inspect an output: its status, its failures, its files, its index."""
