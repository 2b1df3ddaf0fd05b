"""Convert sRGB to linear light, and that to XYB, the colour space of JPEG XL, which follows the responses of the eye.

Source: ISO/IEC 18181-1, and libjxl for the constants. The values of each channel are moved into the range from 0 to 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]

X, Y, B = range(3)
#: Of red, green and blue light: the part that each of the three kinds of cones absorbs.
ABSORBANCE = np.array(
    ((0.30, 0.622, 0.078), (0.23, 0.692, 0.078), (0.24342268924547819, 0.20476744424496821, 0.5518098665095536)), np.float32
)
BIAS = np.float32(0.0037930732552754493)
BIAS_ROOT = np.cbrt(BIAS)
X_SCALE, X_OFFSET, Y_OFFSET, B_OFFSET = (np.float32(number) for number in (14, 0.42, 0.01, 0.55))
HALF = np.float32(0.5)
LONG, MEDIUM = 0, 1  # the cones whose sum is Y and whose difference is X


def _linear_light() -> Array:
    encoded = np.arange(256) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)  # noqa: PLR2004  # sRGB


LINEAR_LIGHT = _linear_light()


def linear(pixels: Pixels) -> Array:
    """Return the linear light of sRGB ``pixels`` (rows, columns, 3), by channel: (3, rows, columns)."""
    return LINEAR_LIGHT.take(np.moveaxis(pixels, -1, 0))


def halved(light: Array) -> Array:
    """Return ``light`` at half the width and height, rounded up: the mean of each square of four, of the last ones repeated."""
    _, rows, columns = light.shape
    if rows % 2 or columns % 2:
        light = np.pad(light, ((0, 0), (0, rows % 2), (0, columns % 2)), mode="edge")
    pairs = light[:, ::2] + light[:, 1::2]
    return (pairs[:, :, ::2] + pairs[:, :, 1::2]) * np.float32(0.25)


def xyb(light: Array, channels: Sequence[int]) -> Array:
    """Return those ``channels`` of XYB of the linear ``light`` (3, rows, columns)."""
    cones = 3 if B in channels else 2
    absorbed = (ABSORBANCE[:cones] @ light.reshape(3, -1)).reshape(cones, *light.shape[1:])
    absorbed += BIAS
    response = np.cbrt(absorbed, out=absorbed)
    response -= BIAS_ROOT
    luma = (response[LONG] + response[MEDIUM]) * HALF
    planes = {
        X: lambda: (response[LONG] - response[MEDIUM]) * (HALF * X_SCALE) + X_OFFSET,
        Y: lambda: luma + Y_OFFSET,
        B: lambda: response[B] - luma + B_OFFSET,
    }
    return np.stack([planes[channel]() for channel in channels])
