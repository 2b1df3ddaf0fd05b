"""Measure how similar two images look: SSIM, the structural similarity index.

Source: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
Similarity", IEEE Transactions on Image Processing 13 (4), 2004: a Gaussian window of 11 by 11 pixels with a standard deviation
of 1.5, K1 = 0.01, K2 = 0.03, on luma, averaged over every position where the window fits.
"""

from typing import Any

import numpy as np
import pyvips

from pixmill.imaging.codecs.png import Png
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe, Rendition

Plane = np.ndarray[Any, np.dtype[np.float64]]

WINDOW_SIDE = 11  # pixels
STANDARD_DEVIATION = 1.5
K1, K2 = 0.01, 0.03
MAX_LUMA = 255.0


def luma(data: bytes) -> Plane:
    """Return the luma of the image file ``data``, 0 to 255, on white. Raise ``ImageError`` if it cannot be decoded."""
    png = process(Input(data), Recipe(steps=(), renditions=(Rendition(encode=Png(compression=0)),))).outputs[0].data
    pixels = pyvips.Image.new_from_buffer(png, "")
    opaque = pixels.flatten(background=MAX_LUMA) if pixels.hasalpha() else pixels
    gray: Plane = opaque.colourspace("b-w").extract_band(0).numpy().astype(np.float64)
    return gray


def ssim(first: Plane, second: Plane) -> float:
    """Return the mean similarity of two planes of the same shape, 1 if they are equal. Raise ``ValueError`` if it is undefined."""
    if first.shape != second.shape or min(first.shape) < WINDOW_SIDE:
        raise ValueError(
            f"expected two planes of the same shape, at least {WINDOW_SIDE} pixels per side, received {first.shape}, {second.shape}"
        )
    mean_1, mean_2 = _blurred(first), _blurred(second)
    variance_1 = _blurred(first * first) - mean_1 * mean_1
    variance_2 = _blurred(second * second) - mean_2 * mean_2
    covariance = _blurred(first * second) - mean_1 * mean_2
    c1, c2 = (K1 * MAX_LUMA) ** 2, (K2 * MAX_LUMA) ** 2
    numerator = (2 * mean_1 * mean_2 + c1) * (2 * covariance + c2)
    denominator = (mean_1**2 + mean_2**2 + c1) * (variance_1 + variance_2 + c2)
    return float(np.mean(numerator / denominator))


def _blurred(plane: Plane) -> Plane:
    """Return the Gaussian mean around every pixel whose window lies inside the plane."""
    offsets = np.arange(WINDOW_SIDE) - WINDOW_SIDE // 2
    weights = np.exp(-(offsets**2) / (2 * STANDARD_DEVIATION**2))
    weights /= weights.sum()
    return _weighted(_weighted(plane, weights).T, weights).T


def _weighted(plane: Plane, weights: Plane) -> Plane:
    """Return the weighted sums over rows, for every position where the window fits."""
    rows = plane.shape[0] - WINDOW_SIDE + 1
    total = np.zeros((rows, plane.shape[1]))
    for index, weight in enumerate(weights):
        total += weight * plane[index : index + rows]
    return total
