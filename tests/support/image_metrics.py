"""Image similarity metrics for tests and benchmarks. Pixel values range from 0 to 255; the last axis is the band."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[np.float64]

PEAK = 255
IDENTICAL = 99.0


def float_lanczos(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Pixels:
    """Return ``pixels`` resized to ``size`` (width, height) with Lanczos in floating point, as the reference for a resize."""
    bands = (Pillow.fromarray(pixels[..., band].astype(np.float32)) for band in range(pixels.shape[2]))
    resized = [np.asarray(band.resize(size, Pillow.Resampling.LANCZOS)) for band in bands]
    return np.stack(resized, axis=-1).clip(0, PEAK).astype(np.float64)


def psnr(one: Pixels, other: Pixels) -> float:
    """Return the peak signal-to-noise ratio in decibels; 99 for identical images."""
    error = float(np.mean((one - other) ** 2))
    return IDENTICAL if error == 0 else 10 * float(np.log10(PEAK**2 / error))
