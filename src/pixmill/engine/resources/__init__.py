"""Processors, memory, process limits, and the sandbox of workers."""
