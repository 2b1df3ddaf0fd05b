"""Walk the markers of a JPEG file: how many scans are read of it, and of which kind it is, without decoding.

Source: ITU-T T.81, annex B. In the coded data of a scan a byte FF is always followed by 00 or a restart marker, so that
``FF DA`` there begins another scan.
"""

import re
import struct
from collections.abc import Iterator

import msgspec
from msgspec import structs

from pixmill.core.errors import UnsupportedError

START_OF_SCAN, END = b"\xff\xda", b"\xff\xd9"
#: The next marker that is neither a fill byte nor one without content.
SEGMENT = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
SCAN = re.compile(re.escape(START_OF_SCAN))
LOOKED_AT = 10  # bytes of a segment: marker, length, and the precision, height, width and channels of a frame
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
ARITHMETIC = range(0xC9, 0xD0)
HUFFMAN = {0xC0, 0xC1, 0xC2}
APPLICATION = range(0xE0, 0xF0)
#: Application data that say how pixels are stored, and nothing of what they show: JFIF and Adobe.
STORAGE = {0xE0, 0xEE}
HIERARCHICAL = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
EIGHT_BITS, PLAIN_BANDS = 8, (1, 3)
FRAME, FRAME_PRECISION = struct.Struct(">xxHBHHB"), 4
SEQUENTIAL, SCAN_BANDS = {0xC0, 0xC1}, 4


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What the markers say. ``kind`` is the code of the frame marker, 0 when there is none; ``metadata_size`` is in bytes.

    ``frames`` counts frame markers; ``precision``, ``height``, ``width`` and ``bands`` are those of the last.
    """

    scans: int = 0
    kind: int = 0
    frames: int = 0
    precision: int = EIGHT_BITS
    height: int = 0
    width: int = 0
    bands: int = 0
    metadata_size: int = 0
    has_metadata: bool = False

    @property
    def progressive(self) -> bool:
        """Tell whether all scans must be read before a row is complete."""
        return self.kind in PROGRESSIVE

    @property
    def is_plain(self) -> bool:
        """Tell whether this is all that there is to know of the file: one frame of a common kind, without metadata."""
        return (
            self.kind in HUFFMAN
            and self.frames == 1
            and self.scans > 0
            and self.precision == EIGHT_BITS
            and self.bands in PLAIN_BANDS
            and min(self.width, self.height) > 0
            and not self.has_metadata
        )


def scan(pieces: Iterator[bytes]) -> Scan:
    """Return what the markers of a file, given in pieces, say. What has been looked at is not kept."""
    window, place, known = b"", 2, Scan()
    while True:
        while len(window) < place + LOOKED_AT and (piece := next(pieces, b"")):
            window, place = window[place:] + piece, max(0, place - len(window))
        found = SEGMENT.search(window, place)
        if (found is None and len(window) < place + LOOKED_AT) or (found and found[0] == END):
            return known
        start = found.start() if found else len(window) - 1
        if found is None or start > place:
            place = start
            continue
        if found[0] == START_OF_SCAN:
            return structs.replace(known, scans=1 if _is_whole(known, window, place) else _count(window, place, pieces))
        known = _with_segment(known, window[place : place + LOOKED_AT])
        place += 2 + max(int.from_bytes(window[place + 2 : place + 4]), 2)


def _is_whole(known: Scan, window: bytes, place: int) -> bool:
    """Tell whether the scan at ``place`` is all of the picture: no decoder reads on."""
    return known.kind in SEQUENTIAL and window[place + SCAN_BANDS : place + SCAN_BANDS + 1] == bytes([known.bands])


def _with_segment(known: Scan, segment: bytes) -> Scan:
    """Return ``known`` with what a segment, of which these are the first bytes, adds to it."""
    code = segment[1]
    if code in FRAMES:
        _, precision, height, width, bands = FRAME.unpack(segment.ljust(LOOKED_AT, b"\0"))
        precision = precision if len(segment) > FRAME_PRECISION else EIGHT_BITS
        frames = known.frames + 1
        return structs.replace(known, kind=code, frames=frames, precision=precision, height=height, width=width, bands=bands)
    if code in APPLICATION:
        size = known.metadata_size + int.from_bytes(segment[2:4])
        return structs.replace(known, metadata_size=size, has_metadata=known.has_metadata or code not in STORAGE)
    return known


def _count(first: bytes, place: int, pieces: Iterator[bytes]) -> int:
    scans, last = _occurrences(first, place), first[-1:]
    for piece in pieces:
        scans += _occurrences(piece, 0) + (last + piece[:1] == START_OF_SCAN)
        last = piece[-1:]
    return scans


def _occurrences(piece: bytes, place: int) -> int:
    # re finds two bytes more than twice as fast as bytes.count does: 0.9 against 2.2 ms in 2.6 MB.
    return sum(1 for _ in SCAN.finditer(piece, place))


def check(found: Scan) -> None:
    """Raise ``UnsupportedError`` for the kinds of JPEG that no decoder here reads."""
    if found.kind in LOSSLESS:
        raise UnsupportedError("this JPEG is of the lossless kind, which is not supported")
    if found.kind in HIERARCHICAL:
        raise UnsupportedError("this JPEG is of the hierarchical kind, which is not supported")
    if found.precision != EIGHT_BITS and found.kind:
        raise UnsupportedError(f"this JPEG has {found.precision} bits a channel, which is not supported")
