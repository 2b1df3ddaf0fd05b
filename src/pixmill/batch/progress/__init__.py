"""The progress of a run and the remaining work."""
