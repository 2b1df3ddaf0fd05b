"""The dominant colour of a picture: the average of the fullest of 4,096 bins.

The bins are those of sharp's ``stats().dominant``, 16 levels of each of red, green and blue, which takes the middle of the bin.
"""

import numpy as np

from pixmill.imaging.traits.small_picture import SmallPicture

BIN_BITS = 4  # of each of three channels
MIN_OPACITY = 128  # of a pixel that counts


def dominant_color(picture: SmallPicture) -> str:
    """Return the colour as ``#rrggbb``; empty if the picture is transparent."""
    alpha = picture.alpha
    pixels = picture.colours.reshape(-1, 3) if alpha is None else picture.colours[alpha >= MIN_OPACITY]
    if not len(pixels):
        return ""
    levels = (pixels >> (8 - BIN_BITS)).astype(np.uint16)
    bins = (levels[:, 0] << 2 * BIN_BITS) | (levels[:, 1] << BIN_BITS) | levels[:, 2]
    fullest = pixels[bins == np.bincount(bins).argmax()]
    red, green, blue = (2 * fullest.sum(axis=0, dtype=np.int64) + len(fullest)) // (2 * len(fullest))  # rounded to the nearest
    return f"#{red:02x}{green:02x}{blue:02x}"
