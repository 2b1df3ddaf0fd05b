"""Processors, memory, process limits, and the confinement of workers."""
