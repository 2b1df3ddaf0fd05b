"""Rewrite a PNG whose pixels are all there, but whose chunks have wrong checksums or end too early.

The compressed pixels have a checksum of their own. If it is right, or cut off behind the last pixel, no pixel is lost.

Source: W3C, PNG Specification, third edition, sections 5, 8.1 and 11.2; RFC 1950.
"""

import struct
import zlib
from collections.abc import Iterator

from pixmill.imaging.parsers.png import HEADER_END, MAX_CHUNKS, SIGNATURE_BYTES

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
#: The first column and row of each pass of an interlaced image, and the steps to the next ones.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
WHOLE = ((0, 0, 1, 1),)
MAX_BYTES = 1_000_000_000  # of pixels that are unpacked
PIXELS, END = b"IDAT", b"IEND"
#: Chunks that must be right, because they say what the pixels mean.
CRITICAL = (b"IHDR", b"PLTE", b"tRNS")


def rewritten(data: bytes) -> bytes:
    """Return the file ``data`` with right checksums; ``b""`` if pixels are missing or damaged."""
    if len(data) < HEADER_END or data[12:16] != b"IHDR":
        return b""
    size = _pixel_bytes(data)
    chunks = list(_chunks(data))
    if not 0 < size <= MAX_BYTES or any(name in CRITICAL and not is_right for name, _, is_right in chunks):
        return b""
    inflater = zlib.decompressobj()
    try:
        pixels = inflater.decompress(b"".join(content for name, content, _ in chunks if name == PIXELS), size)
        if inflater.unconsumed_tail:  # for the checksum, which follows the last pixel
            inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error:
        return b""
    if len(pixels) < size:
        return b""
    parts, has_pixels = [data[:SIGNATURE_BYTES]], False
    for name, content, is_right in chunks:
        if name == PIXELS and not has_pixels:
            parts.append(_chunk(PIXELS, zlib.compress(pixels, 1)))
            has_pixels = True
        elif is_right and name not in (PIXELS, END):
            parts.append(_chunk(name, content))
    return b"".join((*parts, _chunk(END, b"")))


def _pixel_bytes(data: bytes) -> int:
    """Return the size of the unpacked pixels with their filters, from the header of the file; 0 if it makes no sense."""
    width, height, depth, colour, _, _, interlace = struct.unpack_from(">2I5B", data, 16)
    bits = depth * CHANNELS.get(colour, 0)
    total = 0
    for left, top, across, down in PASSES if interlace else WHOLE:
        columns, rows = -(-max(0, width - left) // across), -(-max(0, height - top) // down)
        total += rows * (1 + (columns * bits + 7) // 8) if columns and bits else 0
    return total


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield the name and the content of each chunk, and whether its checksum is right; the last one may be cut off."""
    offset = SIGNATURE_BYTES
    for _ in range(MAX_CHUNKS):
        start = offset + 8
        length, name = int.from_bytes(data[offset : offset + 4]), data[offset + 4 : start]
        if len(name) < 4:  # noqa: PLR2004  # the end of the file
            return
        content = data[start : start + length]
        yield name, content, zlib.crc32(name + content).to_bytes(4) == data[start + length : start + length + 4]
        if name == END:
            return
        offset = start + length + 4


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + zlib.crc32(name + content).to_bytes(4)
