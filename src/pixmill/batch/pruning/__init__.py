"""Removing outputs whose sources are gone, and outputs that are no longer asked for."""
