"""Read what a BMP says beyond what Pillow passes on: alpha among its bit fields, and an embedded profile.

Source: Microsoft, "Bitmap Header Types": BITMAPV4HEADER and BITMAPV5HEADER.
"""

import struct
from typing import NamedTuple

FILE_HEADER_BYTES, V3_BYTES, V5_BYTES = 14, 56, 124
BIT_FIELDS = (3, 6)  # compressions whose header has a mask for each channel
FIELD_BITS = (16, 32)
EMBEDDED_PROFILE = b"DEBM"  # MBED as a little-endian number
MAX_BYTE = 255


class BitFields(NamedTuple):
    """Pixels of ``bits`` each, in rows of multiples of four bytes from ``offset``, with a mask for red, green, blue and alpha."""

    width: int
    height: int
    bits: int
    offset: int
    masks: tuple[int, int, int, int]
    is_top_down: bool

    @property
    def row_bytes(self) -> int:
        """Return the length of a row."""
        return (self.width * self.bits // 8 + 3) // 4 * 4


def alpha_fields(head: bytes) -> BitFields | None:
    """Return the layout of the pixels in the file that begins with ``head``, if it declares alpha among its bit fields."""
    if len(head) < FILE_HEADER_BYTES + V3_BYTES:
        return None
    (offset,) = struct.unpack_from("<I", head, 10)
    size, width, height, _, bits, compression = struct.unpack_from("<IiiHHI", head, FILE_HEADER_BYTES)
    masks = struct.unpack_from("<4I", head, FILE_HEADER_BYTES + 40)
    if size < V3_BYTES or compression not in BIT_FIELDS or bits not in FIELD_BITS or width < 1 or not height or not all(masks):
        return None
    return BitFields(width, abs(height), bits, offset, masks, is_top_down=height < 0)


def profile(data: bytes) -> bytes:
    """Return the profile that is embedded in the file ``data``; empty if there is none."""
    if len(data) < FILE_HEADER_BYTES + V5_BYTES or struct.unpack_from("<I", data, FILE_HEADER_BYTES)[0] < V5_BYTES:
        return b""
    if data[70:74] != EMBEDDED_PROFILE:
        return b""
    offset, size = struct.unpack_from("<2I", data, FILE_HEADER_BYTES + 112)
    return data[FILE_HEADER_BYTES + offset : FILE_HEADER_BYTES + offset + size]
