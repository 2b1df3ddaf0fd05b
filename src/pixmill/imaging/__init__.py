"""Pixels: decode, transform, encode. Knows nothing of storage, tasks or runs."""
