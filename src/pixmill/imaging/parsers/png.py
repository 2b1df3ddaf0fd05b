"""Parse the chunks of a PNG file that come before its pixels.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.
"""

from collections.abc import Iterator

import msgspec

SIGNATURE_BYTES = 8
CHUNK_OVERHEAD_BYTES = 12  # length, name and checksum
MAX_CONTENT_BYTES = 64  # of one chunk; the rest is skipped


class Chunks(msgspec.Struct, frozen=True, kw_only=True):
    """The properties in the chunks before the pixels. ``colour`` maps the names of colour chunks to their content."""

    frames: int = 1
    interlaced: bool = False
    colour: dict[bytes, bytes] = {}


def scan(pieces: Iterator[bytes]) -> Chunks:
    """Return the properties in the chunks of a file, given in pieces; unreadable chunks are ignored."""
    buffer, offset, frames, interlaced = b"", SIGNATURE_BYTES, 1, False
    colour: dict[bytes, bytes] = {}
    while True:
        while len(buffer) < offset + CHUNK_OVERHEAD_BYTES + MAX_CONTENT_BYTES and (piece := next(pieces, b"")):
            buffer, offset = buffer[offset:] + piece, max(0, offset - len(buffer))
        length, name = int.from_bytes(buffer[offset : offset + 4]), buffer[offset + 4 : offset + 8]
        if name in (b"", b"IDAT", b"IEND"):
            return Chunks(frames=frames, interlaced=interlaced, colour=colour)
        content = buffer[offset + 8 : offset + 8 + min(length, MAX_CONTENT_BYTES)]
        if name == b"IHDR":
            interlaced = content[12:13] == b"\x01"
        elif name == b"acTL":
            frames = max(1, int.from_bytes(content[:4]))
        elif name in (b"gAMA", b"cHRM", b"cICP", b"sRGB", b"iCCP"):
            colour[name] = content
        offset += CHUNK_OVERHEAD_BYTES + length
