"""How alike two pictures are: for tests and benchmarks of whatever makes pictures. Values from 0 to 255, bands last."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[np.float64]

PEAK = 255
IDENTICAL = 99.0
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
WINDOW = 8  # pixels a side


def float_lanczos(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Pixels:
    """Return ``pixels`` resized to ``size`` (width, height) by Lanczos in floating point: what to compare a resize with."""
    bands = (Pillow.fromarray(pixels[..., band].astype(np.float32)) for band in range(pixels.shape[2]))
    resized = [np.asarray(band.resize(size, Pillow.Resampling.LANCZOS)) for band in bands]
    return np.stack(resized, axis=-1).clip(0, PEAK).astype(np.float64)


def psnr(one: Pixels, other: Pixels) -> float:
    """Return the ratio of peak signal to noise in decibels, 99 for the same."""
    error = float(np.mean((one - other) ** 2))
    return IDENTICAL if error == 0 else 10 * float(np.log10(PEAK**2 / error))


def ssim(one: Pixels, other: Pixels) -> float:
    """Return the mean structural similarity of the luma of two colour pictures, 1 for the same.

    Windows are of 8x8 pixels, each weighed alike. Source: Wang, Bovik, Sheikh, Simoncelli: Image quality assessment (2004).
    """
    first, second = one[..., :3] @ LUMA, other[..., :3] @ LUMA
    stabilisers = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    mean_1, mean_2 = _windowed(first), _windowed(second)
    variances = _windowed(first**2) - mean_1**2 + _windowed(second**2) - mean_2**2
    covariance = _windowed(first * second) - mean_1 * mean_2
    light = (2 * mean_1 * mean_2 + stabilisers[0]) / (mean_1**2 + mean_2**2 + stabilisers[0])
    return float(np.mean(light * (2 * covariance + stabilisers[1]) / (variances + stabilisers[1])))


def _windowed(plane: Pixels) -> Pixels:
    """Return the mean of every window."""
    total = np.pad(plane, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    sums: Pixels = total[WINDOW:, WINDOW:] - total[:-WINDOW, WINDOW:] - total[WINDOW:, :-WINDOW] + total[:-WINDOW, :-WINDOW]
    return sums / WINDOW**2
