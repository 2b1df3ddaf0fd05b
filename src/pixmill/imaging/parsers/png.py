"""Walk the chunks of a PNG file that come before its pixels.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, section 11.
"""

from collections.abc import Iterator

import msgspec

SIGNATURE = 8
FRAME = 12  # length, name and checksum of a chunk
LOOKED_AT = 64  # bytes of the content of one


class Chunks(msgspec.Struct, frozen=True, kw_only=True):
    """What the chunks before the pixels say. ``colour`` holds those that describe colours, by name."""

    frames: int = 1
    interlaced: bool = False
    colour: dict[bytes, bytes] = {}


def scan(pieces: Iterator[bytes]) -> Chunks:
    """Return what the chunks of a file, given in pieces, say; what cannot be read says nothing."""
    window, place, frames, interlaced = b"", SIGNATURE, 1, False
    colour: dict[bytes, bytes] = {}
    while True:
        while len(window) < place + FRAME + LOOKED_AT and (piece := next(pieces, b"")):
            window, place = window[place:] + piece, max(0, place - len(window))
        length, name = int.from_bytes(window[place : place + 4]), window[place + 4 : place + 8]
        if name in (b"", b"IDAT", b"IEND"):
            return Chunks(frames=frames, interlaced=interlaced, colour=colour)
        content = window[place + 8 : place + 8 + min(length, LOOKED_AT)]
        if name == b"IHDR":
            interlaced = content[12:13] == b"\x01"
        elif name == b"acTL":
            frames = max(1, int.from_bytes(content[:4]))
        elif name in (b"gAMA", b"cHRM", b"cICP", b"sRGB", b"iCCP"):
            colour[name] = content
        place += FRAME + length
