"""Gain maps in JPEG: a second image that tells by how much a display of high dynamic range may brighten each part of the first."""
