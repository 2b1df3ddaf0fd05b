"""Read the header of QOI.

Source: The Quite OK Image Format, specification version 1.0.
"""

import struct
from typing import NamedTuple

HEADER, CHANNELS, SPACES = struct.Struct(">4s2I2B"), (3, 4), (0, 1)  # sRGB, and linear light


class Qoi(NamedTuple):
    """What the header says."""

    width: int
    height: int
    bands: int


def read(head: bytes) -> Qoi:
    """Return the header of the file that begins with ``head``. Raise ``ValueError`` if it is none."""
    if len(head) < HEADER.size:
        raise ValueError("its header is incomplete")
    _, width, height, bands, space = HEADER.unpack_from(head)
    if bands not in CHANNELS or space not in SPACES:
        raise ValueError(f"its header states {bands} channels and colour space {space}")
    return Qoi(width, height, bands)
