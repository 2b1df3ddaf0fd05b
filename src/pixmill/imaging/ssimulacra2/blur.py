"""Blur planes with a Gaussian of 1.5 pixels, as products of matrices, which are faster than sums of shifted planes.

Outside of the image, everything is 0.
"""

from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]

SIGMA, RADIUS = 1.5, 5  # pixels
BLOCK = 64  # columns: of a wider matrix, more would be zeros
_OFFSETS = np.arange(-RADIUS, RADIUS + 1)
_KERNEL = np.exp(-(_OFFSETS**2) / (2 * SIGMA**2))


@lru_cache(maxsize=64)
def _band(before: int, count: int, after: int) -> Array:
    """Return the matrix (count, before + count + after) of the weights of each value and its neighbours."""
    distances = np.arange(-before, count + after)[None] - np.arange(count)[:, None]
    weights = np.exp(-(distances**2) / (2 * SIGMA**2)) / _KERNEL.sum()
    return np.where(np.abs(distances) <= RADIUS, weights, 0).astype(np.float32)


def blurred(planes: Array, before: int, count: int, after: int) -> Array:
    """Return ``count`` rows of the ``planes`` (planes, rows, columns), which have some more ``before`` and ``after`` them."""
    width = planes.shape[2]
    wide = np.empty_like(planes)
    flat, result = planes.reshape(-1, width), wide.reshape(-1, width)
    for left in range(0, width, BLOCK):
        right = min(left + BLOCK, width)
        first, last = max(0, left - RADIUS), min(width, right + RADIUS)
        weights = _band(left - first, right - left, last - right)
        np.matmul(flat[:, first:last], weights.T, out=result[:, left:right])
    return np.matmul(_band(before, count, after), wide)
