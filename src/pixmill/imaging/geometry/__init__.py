"""Sizes, aspect ratios, and where to crop."""
