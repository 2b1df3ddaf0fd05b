"""Whose the files of an output are: its own, a source's, or somebody else's."""
