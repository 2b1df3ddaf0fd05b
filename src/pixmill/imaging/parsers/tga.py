"""Read the header of TGA.

Source: Truevision, TGA file format specification, version 2.0.
"""

import struct
from typing import NamedTuple

HEADER = struct.Struct("<3B2HB4H2B")
INDEXED, COLOUR, GRAY, RUN_LENGTHS = 1, 2, 3, 8
#: For each kind and number of bits: the bands of the pixels, without and with attribute bits, which are alpha.
BANDS = {
    (COLOUR, 16): (3, 4), (COLOUR, 24): (3, 3), (COLOUR, 32): (3, 4), (GRAY, 8): (1, 1), (GRAY, 16): (1, 2), (GRAY, 1): (1, 1),
    (INDEXED, 8): (3, 3),
}  # fmt: skip
MAP_BITS = (16, 24, 32)
ATTRIBUTE_BITS = 0x0F


class Tga(NamedTuple):
    """What the header says; ``pixel_bits`` is the size of a stored pixel, ``start`` the offset of the first."""

    width: int
    height: int
    bands: int
    has_alpha: bool
    pixel_bits: int
    start: int
    is_packed: bool


def read(head: bytes) -> Tga:
    """Return the header of the file that begins with ``head``. Raise ``ValueError`` if it is none."""
    if len(head) < HEADER.size:
        raise ValueError("its header is incomplete")
    id_size, map_kind, kind, map_first, map_size, map_bits, _, _, width, height, bits, descriptor = HEADER.unpack_from(head)
    plain = kind & ~RUN_LENGTHS
    if (plain, bits) not in BANDS or map_kind > 1 or (plain == INDEXED and map_kind == 0):
        raise ValueError(f"not supported: kind {kind} with {bits} bits")
    if map_kind and (map_bits not in MAP_BITS or map_first + map_size > 2**16):
        raise ValueError(f"not supported: a palette of {map_size} colours with {map_bits} bits")
    bands = BANDS[plain, bits]
    has_alpha = bool(descriptor & ATTRIBUTE_BITS) and bands[0] != bands[1]
    start = HEADER.size + id_size + map_kind * map_size * (map_bits // 8)
    return Tga(width, height, bands[has_alpha], has_alpha, bits, start, is_packed=bool(kind & RUN_LENGTHS))
