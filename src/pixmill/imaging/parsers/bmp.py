"""Read the headers of a BMP: those of Windows in all versions, and those of OS/2.

Sources: Microsoft, "Bitmap Header Types": BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER; IBM, OS/2 2.0
Presentation Manager, BITMAPINFOHEADER2 and BITMAPARRAYFILEHEADER.
"""

import struct
from typing import NamedTuple

from pixmill.core.errors import DecodeError, UnsupportedError

FILE_HEADER_BYTES, CORE_BYTES, INFO_BYTES, V5_BYTES = 14, 12, 40, 124
ARRAY = b"BA"  # a file header before the actual one
CORE, INFO, OFFSET = struct.Struct("<4x4H"), struct.Struct("<4xiiHHI12xI4x"), struct.Struct("<10xI")
WINDOWS_SIZES = (40, 52, 56, 108, 124)
MASKS_AT, MASK_BYTES = 40, 4
UNCOMPRESSED, RLE8, RLE4, BIT_FIELDS, JPEG, PNG, ALPHA_BIT_FIELDS = 0, 1, 2, 3, 4, 5, 6
#: The compressions of OS/2, under numbers that mean something else in Windows; here under numbers of their own.
HUFFMAN, RLE24 = 103, 104
OS2_COMPRESSIONS = {3: HUFFMAN, 4: RLE24}
NAMES = {HUFFMAN: "Huffman coding", JPEG: "an embedded JPEG", PNG: "an embedded PNG", 11: "CMYK", 12: "CMYK", 13: "CMYK"}
RLE_BITS = {RLE8: 8, RLE4: 4, RLE24: 24}
PALETTE_BITS, FIELD_BITS, BITS = (1, 2, 4, 8), (16, 32), (1, 2, 4, 8, 16, 24, 32)
#: The masks for red, green, blue and alpha where the file has none.
USUAL_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
MAX_COLOURS = 256
EMBEDDED_PROFILE = b"DEBM"  # MBED as a little-endian number


class Bitmap(NamedTuple):
    """The layout of the pixels: ``bits`` each, in rows of multiples of four bytes from ``offset``, from the bottom up.

    ``masks`` are those of red, green, blue and alpha, empty if each byte is a channel or the pixels are indexes into ``palette``,
    which has red, green and blue of each colour.
    """

    width: int
    height: int
    bits: int
    offset: int
    compression: int = UNCOMPRESSED
    masks: tuple[int, ...] = ()
    palette: bytes = b""
    is_top_down: bool = False

    @property
    def row_bytes(self) -> int:
        """Return the length of an uncompressed row."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def is_run_length_coded(self) -> bool:
        """Return whether the pixels are run-length coded."""
        return self.compression in RLE_BITS

    @property
    def is_gray(self) -> bool:
        """Return whether all colours of the palette are gray."""
        return bool(self.palette) and self.palette[::3] == self.palette[1::3] == self.palette[2::3]


def read(head: bytes) -> Bitmap:
    """Return the layout of the file that begins with ``head``. Raise ``ImageError`` if it is damaged or of an unknown kind."""
    start = FILE_HEADER_BYTES if head.startswith(ARRAY) else 0
    info = start + FILE_HEADER_BYTES
    if len(head) < info + CORE_BYTES:
        raise EOFError("its header is incomplete")
    (offset,) = OFFSET.unpack_from(head, start)
    size = int.from_bytes(head[info : info + 4], "little")
    if size == CORE_BYTES:
        width, height, _, bits = CORE.unpack_from(head, info)
        compression = colours = 0
    else:
        fields = head[info : info + min(size, INFO_BYTES)].ljust(INFO_BYTES, b"\0")
        width, height, _, bits, compression, colours = INFO.unpack(fields)
    if size not in WINDOWS_SIZES:
        compression = OS2_COMPRESSIONS.get(compression, compression)
    _check(width, height, bits, compression)
    masks, mask_bytes = _masks(head[info:], size, bits, compression)
    first = info + size + mask_bytes
    offset = offset if offset >= first else first + min(colours or 1 << bits, MAX_COLOURS) * _entry(size) * (bits in PALETTE_BITS)
    palette = _palette(head[first:offset], _entry(size), colours, bits) if bits in PALETTE_BITS else b""
    return Bitmap(width, abs(height), bits, offset, compression, masks, palette, is_top_down=height < 0)


def profile(data: bytes) -> bytes:
    """Return the profile that is embedded in the file ``data``; empty if there is none."""
    if len(data) < FILE_HEADER_BYTES + V5_BYTES or struct.unpack_from("<I", data, FILE_HEADER_BYTES)[0] < V5_BYTES:
        return b""
    if data[70:74] != EMBEDDED_PROFILE:
        return b""
    offset, size = struct.unpack_from("<2I", data, FILE_HEADER_BYTES + 112)
    return data[FILE_HEADER_BYTES + offset : FILE_HEADER_BYTES + offset + size]


def _check(width: int, height: int, bits: int, compression: int) -> None:
    if width < 1 or not height or height == -(2**31):
        raise DecodeError("the BMP is damaged: it has no pixels")
    if compression in NAMES or (compression > ALPHA_BIT_FIELDS and compression not in RLE_BITS):
        name = NAMES.get(compression, f"compression {compression}")
        raise UnsupportedError(f"this kind of BMP is not supported: {name}", kind=f"BMP with {name}")
    if bits not in BITS or RLE_BITS.get(compression, bits) != bits:
        raise UnsupportedError(f"this kind of BMP is not supported: {bits} bits per pixel", kind=f"BMP of {bits} bits")


def _entry(header_size: int) -> int:
    """Return the bytes of a colour in the palette."""
    return 3 if header_size == CORE_BYTES else 4


def _masks(info: bytes, size: int, bits: int, compression: int) -> tuple[tuple[int, ...], int]:
    """Return the masks of the channels, and the bytes that they take between the header and the palette."""
    if bits not in FIELD_BITS:
        return (), 0
    if compression not in (BIT_FIELDS, ALPHA_BIT_FIELDS):
        return USUAL_MASKS[bits], 0
    is_behind = size <= INFO_BYTES
    count = 4 if compression == ALPHA_BIT_FIELDS or size >= MASKS_AT + 4 * MASK_BYTES else 3
    at = size if is_behind else MASKS_AT
    masks = struct.unpack("<4I", info[at : at + count * MASK_BYTES].ljust(16, b"\0"))
    return tuple(mask & (1 << bits) - 1 for mask in masks), count * MASK_BYTES if is_behind else 0


def _palette(stored: bytes, entry: int, colours: int, bits: int) -> bytes:
    """Return the palette in ``stored`` as red, green and blue of each colour; black for those that are missing."""
    most = 1 << bits
    stored = stored[: min(colours or most, most) * entry].ljust(most * entry, b"\0")
    return bytes(stored[at + channel] for at in range(0, most * entry, entry) for channel in (2, 1, 0))
