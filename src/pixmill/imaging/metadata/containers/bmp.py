"""The resolution in BMP, its only metadata.

Source: Microsoft, BITMAPINFOHEADER.
"""

import struct

from pixmill.imaging.input import Data
from pixmill.imaging.metadata.blocks import Blocks, resolution
from pixmill.imaging.metadata.container import Container, unknown

DENSITY, OFFSET, MAX_PER_METRE = struct.Struct("<ii"), 38, 2**31 - 1
HEADER_SIZE, MIN_HEADER_BYTES = slice(14, 18), 40  # a shorter header has no resolution


def read(data: Data) -> Blocks:
    """Return the resolution."""
    if len(data) < OFFSET + DENSITY.size or int.from_bytes(data[HEADER_SIZE], "little") < MIN_HEADER_BYTES:
        return Blocks()
    x, y = DENSITY.unpack_from(data, OFFSET)
    return Blocks(resolution=resolution(x, y, "m"))


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with the resolution of ``blocks``, or with none."""
    x = y = 0
    if blocks.resolution is not None and blocks.resolution.unit:
        x, y = (min(round(side), MAX_PER_METRE) for side in blocks.resolution.per("m"))
    return data[:OFFSET] + DENSITY.pack(x, y) + data[OFFSET + DENSITY.size :]


CONTAINER = Container(read, write, unknown, frozenset({"resolution"}))
