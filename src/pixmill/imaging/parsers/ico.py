"""Read the directory of an icon or a cursor.

Source: Microsoft, "Icons", and "The format of icon resources"; the images are BMP without a file header, with a mask, or PNG.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.parsers import bmp

DIRECTORY, ENTRY = struct.Struct("<3H"), struct.Struct("<4B2H2I")
MAX_ENTRIES, LARGEST_SIDE = 256, 256
PNG_BITS = 32  # per pixel, in the directory
PNG, PNG_SIZE = b"\x89PNG\r\n\x1a\n", struct.Struct(">16x2I2B")
PNG_BANDS = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}  # by its colour type
BYTE_BITS, FULL_COLOUR_BITS, FULL_COLOUR_MASKS = 8, 32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
FILE_HEADER = b"BM" + bytes(bmp.FILE_HEADER_BYTES - 2)  # of a BMP, without the place of its pixels


class Icon(NamedTuple):
    """One image of the file by what it says itself, and its file: a PNG, or a ``bitmap`` with a mask behind its pixels."""

    width: int
    height: int
    bands: int
    depth: int
    data: bytes
    bitmap: bmp.Bitmap | None = None

    @property
    def mask(self) -> bytes:
        """Return the mask, a bit for each pixel that is transparent, in rows of multiples of four bytes; empty if incomplete."""
        if self.bitmap is None:
            return b""
        start = self.bitmap.offset + self.bitmap.row_bytes * self.height
        size = (self.width + 31) // 32 * 4 * self.height
        found = self.data[start : start + size]
        return found if len(found) == size else b""


def largest(data: bytes) -> Icon:
    """Return the image of ``data`` with the most pixels, and of these the one with the most colours.

    Raise ``ValueError`` if there is none; ``EOFError`` if it lies outside the file.
    """
    count = min(DIRECTORY.unpack_from(data)[2], MAX_ENTRIES, (len(data) - DIRECTORY.size) // ENTRY.size)
    entries = [ENTRY.unpack_from(data, DIRECTORY.size + index * ENTRY.size) for index in range(count)]
    if not entries:
        raise ValueError("it has no image")
    best = max(entries, key=lambda entry: ((entry[0] or LARGEST_SIDE) * (entry[1] or LARGEST_SIDE), entry[5]))
    size, offset = best[6:]
    if offset + size > len(data):
        raise EOFError("its largest image is incomplete")
    return _icon(data[offset : offset + size])


def _icon(data: bytes) -> Icon:
    """Return the image ``data`` by what it says itself: the directory may say anything."""
    if data.startswith(PNG) and len(data) >= PNG_SIZE.size:
        width, height, bits, kind = PNG_SIZE.unpack_from(data)
        return Icon(width, height, PNG_BANDS.get(kind, 4), max(bits, BYTE_BITS), data)
    data = FILE_HEADER + data
    bitmap = bmp.read(data)
    masks = FULL_COLOUR_MASKS if bitmap.bits == FULL_COLOUR_BITS else bitmap.masks
    bitmap = bitmap._replace(height=bitmap.height // 2, masks=masks)  # the height includes that of the mask
    return Icon(bitmap.width, bitmap.height, 4, BYTE_BITS, data, bitmap)


def packed(images: Sequence[tuple[int, bytes]]) -> bytes:
    """Return an icon with ``images``, each the side of a square, up to 256, and the bytes of a PNG."""
    offset = DIRECTORY.size + ENTRY.size * len(images)
    entries = []
    for side, data in images:
        entries.append(ENTRY.pack(side % LARGEST_SIDE, side % LARGEST_SIDE, 0, 0, 1, PNG_BITS, len(data), offset))
        offset += len(data)
    return b"".join([DIRECTORY.pack(0, 1, len(images)), *entries, *(data for _, data in images)])
