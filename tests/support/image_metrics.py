"""How alike two pictures are: for tests and benchmarks of whatever makes pictures. Values from 0 to 255, bands last."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[np.float64]

PEAK = 255
IDENTICAL = 99.0


def float_lanczos(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Pixels:
    """Return ``pixels`` resized to ``size`` (width, height) by Lanczos in floating point: what to compare a resize with."""
    bands = (Pillow.fromarray(pixels[..., band].astype(np.float32)) for band in range(pixels.shape[2]))
    resized = [np.asarray(band.resize(size, Pillow.Resampling.LANCZOS)) for band in bands]
    return np.stack(resized, axis=-1).clip(0, PEAK).astype(np.float64)


def psnr(one: Pixels, other: Pixels) -> float:
    """Return the ratio of peak signal to noise in decibels, 99 for the same."""
    error = float(np.mean((one - other) ** 2))
    return IDENTICAL if error == 0 else 10 * float(np.log10(PEAK**2 / error))
