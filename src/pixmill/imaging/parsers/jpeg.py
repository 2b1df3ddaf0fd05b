"""Parse the markers of a JPEG file: its kind, size and number of scans, without decoding.

Source: ITU-T T.81, annex B. In the entropy-coded data of a scan, a byte FF is always followed by 00 or a restart marker, so
``FF DA`` always begins another scan.
"""

import re
import struct
from collections.abc import Iterator

import msgspec
from msgspec import structs

from pixmill.core.errors import UnsupportedError

START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
#: A marker that begins a segment: not a fill byte, nor a marker without content.
SEGMENT_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
SCAN_MARKER = re.compile(re.escape(START_OF_SCAN))
SEGMENT_HEAD_BYTES = 19  # marker, length, and the precision, height, width and channels of a frame with the first three
FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
ARITHMETIC = range(0xC9, 0xD0)
HUFFMAN = {0xC0, 0xC1, 0xC2}
APPLICATION_SEGMENTS = range(0xE0, 0xF0)
#: Application segments that describe the encoding, not the content: JFIF and Adobe.
STORAGE_SEGMENTS = {0xE0, 0xEE}
HIERARCHICAL = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
EIGHT_BITS, PLAIN_BANDS, COLOUR_BANDS = 8, (1, 3), 3
SAMPLING_OFFSETS = (11, 14, 17)  # of the factors of the three channels, in the segment of a frame
FRAME_HEADER, PRECISION_OFFSET = struct.Struct(">xxHBHHB"), 4
SEQUENTIAL, SCAN_BANDS_OFFSET = {0xC0, 0xC1}, 4


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The properties in the markers. ``kind`` is the code of the frame marker, 0 if there is none; ``metadata_size`` is in bytes.

    ``frames`` counts frame markers; ``precision``, ``height``, ``width`` and ``bands`` are those of the last. ``chroma_stretch``
    says how much coarser chroma is in one direction than in the other: 2 for 4:2:2 and 4:4:0.
    """

    scans: int = 0
    kind: int = 0
    frames: int = 0
    precision: int = EIGHT_BITS
    height: int = 0
    width: int = 0
    bands: int = 0
    chroma_stretch: int = 1
    metadata_size: int = 0
    has_metadata: bool = False

    @property
    def progressive(self) -> bool:
        """Return whether all scans must be read before a row is complete."""
        return self.kind in PROGRESSIVE

    @property
    def is_plain(self) -> bool:
        """Return whether the markers describe the file completely: one frame of a common kind, without metadata."""
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
    """Return the properties in the markers of a file, given in chunks. Parsed chunks are discarded."""
    buffer, offset, info = b"", 2, Scan()
    while True:
        while len(buffer) < offset + SEGMENT_HEAD_BYTES and (piece := next(pieces, b"")):
            buffer, offset = buffer[offset:] + piece, max(0, offset - len(buffer))
        marker = SEGMENT_MARKER.search(buffer, offset)
        if (marker is None and len(buffer) < offset + SEGMENT_HEAD_BYTES) or (marker and marker[0] == END_OF_IMAGE):
            return info
        start = marker.start() if marker else len(buffer) - 1
        if marker is None or start > offset:
            offset = start
            continue
        if marker[0] == START_OF_SCAN:
            return structs.replace(info, scans=1 if _is_complete(info, buffer, offset) else _count_scans(buffer, offset, pieces))
        info = _with_segment(info, buffer[offset : offset + SEGMENT_HEAD_BYTES])
        offset += 2 + max(int.from_bytes(buffer[offset + 2 : offset + 4]), 2)


def _is_complete(info: Scan, buffer: bytes, offset: int) -> bool:
    """Return whether the scan at ``offset`` contains the whole image, so that decoders stop after it."""
    return info.kind in SEQUENTIAL and buffer[offset + SCAN_BANDS_OFFSET : offset + SCAN_BANDS_OFFSET + 1] == bytes([info.bands])


def _with_segment(info: Scan, segment: bytes) -> Scan:
    """Return ``info`` updated from a segment, given by its first bytes."""
    code = segment[1]
    if code in FRAME_MARKERS:
        _, precision, height, width, bands = FRAME_HEADER.unpack_from(segment.ljust(SEGMENT_HEAD_BYTES, b"\0"))
        precision = precision if len(segment) > PRECISION_OFFSET else EIGHT_BITS
        frames = info.frames + 1
        stretch = _chroma_stretch(segment) if bands == COLOUR_BANDS else 1
        info = structs.replace(info, kind=code, frames=frames, precision=precision, chroma_stretch=stretch)
        return structs.replace(info, height=height, width=width, bands=bands)
    if code in APPLICATION_SEGMENTS:
        size = info.metadata_size + int.from_bytes(segment[2:4])
        return structs.replace(info, metadata_size=size, has_metadata=info.has_metadata or code not in STORAGE_SEGMENTS)
    return info


def _chroma_stretch(frame: bytes) -> int:
    """Return how much coarser chroma is in one direction than in the other, from the sampling factors in the frame's header."""
    factors = [(frame[offset] >> 4, frame[offset] & 15) for offset in SAMPLING_OFFSETS if offset < len(frame)]
    if len(factors) < COLOUR_BANDS or not all(map(all, factors)):
        return 1
    (luma_across, luma_down), (across, down), _ = factors
    ratio = luma_across * down / (luma_down * across)
    return max(1, round(max(ratio, 1 / ratio)))


def _count_scans(buffer: bytes, offset: int, pieces: Iterator[bytes]) -> int:
    scans, last = _count_markers(buffer, offset), buffer[-1:]
    for piece in pieces:
        scans += _count_markers(piece, 0) + (last + piece[:1] == START_OF_SCAN)
        last = piece[-1:]
    return scans


def _count_markers(piece: bytes, offset: int) -> int:
    # re finds two bytes more than twice as fast as bytes.count: 0.9 instead of 2.2 ms in 2.6 MB.
    return sum(1 for _ in SCAN_MARKER.finditer(piece, offset))


def check(info: Scan) -> None:
    """Raise ``UnsupportedError`` for the kinds of JPEG that no decoder supports."""
    if info.kind in LOSSLESS:
        raise UnsupportedError("lossless JPEG is not supported")
    if info.kind in HIERARCHICAL:
        raise UnsupportedError("hierarchical JPEG is not supported")
    if info.precision != EIGHT_BITS and info.kind:
        raise UnsupportedError(f"JPEG with {info.precision} bits per channel is not supported")
