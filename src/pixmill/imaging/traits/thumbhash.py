"""ThumbHash: a placeholder of about 25 bytes for a picture, with its proportions, colours and transparency.

Source: https://github.com/evanw/thumbhash, the definition by its author. Sums are of integers, so that every processor gives the
same bytes.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from pixmill.imaging.traits.small_picture import SmallPicture

Plane = np.ndarray[Any, np.dtype[np.int64]]
Terms = tuple[float, list[float], float]

LUMINANCE_TERMS, LUMINANCE_TERMS_WITH_ALPHA = 7, 5
COLOUR_TERMS, ALPHA_TERMS = 3, 5
UNIT = 65535  # the value of white; 257 for each step of a byte
BYTE = 255
STEP = UNIT // BYTE
COSINE_UNIT = 1 << 16  # small enough for a sum over all pixels to fit into 64 bits
MAX_SIDE = 100  # pixels of a picture that the definition allows
NIBBLE = 15  # the highest value of four bits, of which each varying term has four
assert 3 * UNIT * MAX_SIDE**2 * COSINE_UNIT**2 < 2**63  # noqa: S101  # checked once, when the module is imported


def thumbhash(picture: SmallPicture) -> bytes:
    """Return the ThumbHash of ``picture``."""
    width, height = picture.picture.size
    alpha = None if picture.alpha is None else picture.alpha.astype(np.int64)
    red, green, blue = (_on_average(band, alpha) for band in np.moveaxis(picture.colours, -1, 0).astype(np.int64))
    has_alpha = alpha is not None
    limit = LUMINANCE_TERMS_WITH_ALPHA if has_alpha else LUMINANCE_TERMS
    columns, rows = (max(1, _rounded(limit * side / max(width, height))) for side in (width, height))
    luminance = _terms(red + green + blue, 3 * UNIT, max(3, columns), max(3, rows))
    yellow_blue = _terms(red + green - 2 * blue, 2 * UNIT, COLOUR_TERMS, COLOUR_TERMS)
    red_green = _terms(red - green, UNIT, COLOUR_TERMS, COLOUR_TERMS)
    channels = [luminance, yellow_blue, red_green]
    is_landscape = width > height
    head = (
        _rounded(63 * luminance[0])
        | _rounded(31.5 + 31.5 * yellow_blue[0]) << 6
        | _rounded(31.5 + 31.5 * red_green[0]) << 12
        | _rounded(31 * luminance[2]) << 18
        | has_alpha << 23
        | (rows if is_landscape else columns) << 24
        | _rounded(63 * yellow_blue[2]) << 27
        | _rounded(63 * red_green[2]) << 33
        | is_landscape << 39
    )
    data = bytearray(head.to_bytes(5, "little"))
    if alpha is not None:
        opacity = _terms(alpha * STEP, UNIT, ALPHA_TERMS, ALPHA_TERMS)
        channels.append(opacity)
        data.append(_rounded(NIBBLE * opacity[0]) | _rounded(NIBBLE * opacity[2]) << 4)
    nibbles = [_rounded(NIBBLE * term) for _, varying, _ in channels for term in varying]
    nibbles += [0] * (len(nibbles) % 2)
    data += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return bytes(data)


def _on_average(band: Plane, alpha: Plane | None) -> Plane:
    """Return ``band`` on the average of its opaque part, in ``UNIT``."""
    if alpha is None:
        return band * STEP
    opaque = int(alpha.sum())
    average = round(STEP * int((band * alpha).sum()) / opaque) if opaque else 0
    return ((BYTE - alpha) * average + alpha * band * STEP) // BYTE


def _terms(plane: Plane, unit: int, columns: int, rows: int) -> Terms:
    """Return the constant term of the cosine transform of ``plane``, the varying ones from 0 to 1, and their scale."""
    height, width = plane.shape
    sums = _cosines(height, rows) @ (plane @ _cosines(width, columns).T)
    size = unit * COSINE_UNIT**2 * width * height
    found = [
        int(sums[row, column]) / size for row in range(rows) for column in range(columns) if column * rows < columns * (rows - row)
    ]
    scale = max(map(abs, found[1:]))
    return found[0], [0.5 + 0.5 / scale * term if scale else term for term in found[1:]], scale


@lru_cache(maxsize=64)  # the sides of most pictures of a run are a few
def _cosines(side: int, count: int) -> Plane:
    """Return the cosine of each frequency below ``count`` at each of the ``side`` pixels, in ``COSINE_UNIT``."""
    angles = [[math.pi / side * frequency * (place + 0.5) for place in range(side)] for frequency in range(count)]
    return np.array([[round(COSINE_UNIT * math.cos(angle)) for angle in row] for row in angles], dtype=np.int64)


def _rounded(value: float) -> int:
    """Round half up, as the definition does."""
    return math.floor(value + 0.5)
