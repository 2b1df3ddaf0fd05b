"""How alike two pictures look: SSIM, the structural similarity index.

Source: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
Similarity", IEEE Transactions on Image Processing 13 (4), 2004: a Gaussian window of 11 by 11 pixels with a standard deviation
of 1.5, K1 = 0.01, K2 = 0.03, on luma, averaged over every place where the window fits.
"""

from typing import Any

import numpy as np
import pyvips

from pixmill.imaging.codecs.png import Png
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe, Rendition

Plane = np.ndarray[Any, np.dtype[np.float64]]

WINDOW = 11  # pixels
DEVIATION = 1.5
K1, K2 = 0.01, 0.03
RANGE = 255.0


def luma(data: bytes) -> Plane:
    """Return the luma of the picture in the file ``data``, 0 to 255, transparency on white; ``ImageError`` when there is none."""
    plain = process(Input(data), Recipe(steps=(), renditions=(Rendition(encode=Png(compression=0)),))).outputs[0].data
    pixels = pyvips.Image.new_from_buffer(plain, "")
    opaque = pixels.flatten(background=RANGE) if pixels.hasalpha() else pixels
    gray: Plane = opaque.colourspace("b-w").extract_band(0).numpy().astype(np.float64)
    return gray


def ssim(first: Plane, second: Plane) -> float:
    """Return the mean similarity of two planes of one shape, 1 when they are equal; ``ValueError`` where it is not defined."""
    if first.shape != second.shape or min(first.shape) < WINDOW:
        raise ValueError(
            f"expected two planes of one shape and at least {WINDOW} pixels a side, received {first.shape}, {second.shape}"
        )
    mean_1, mean_2 = _blurred(first), _blurred(second)
    variance_1 = _blurred(first * first) - mean_1 * mean_1
    variance_2 = _blurred(second * second) - mean_2 * mean_2
    covariance = _blurred(first * second) - mean_1 * mean_2
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    likeness = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    unlikeness = (mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2)
    return float(np.mean(likeness / unlikeness))


def _blurred(plane: Plane) -> Plane:
    """Return the weighted mean around every pixel that is far enough from the edges."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * DEVIATION**2))
    weights /= weights.sum()
    return _weighted(_weighted(plane, weights).T, weights).T


def _weighted(plane: Plane, weights: Plane) -> Plane:
    """Return the weighted sums over the rows, where the window fits."""
    rows = plane.shape[0] - WINDOW + 1
    total = np.zeros((rows, plane.shape[1]))
    for index, weight in enumerate(weights):
        total += weight * plane[index : index + rows]
    return total
