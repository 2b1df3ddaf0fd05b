"""Rewrite a JPEG without what decoders warn about although it costs no pixel: bytes between segments, statements without effect.

A decoder reports every oddity in the same way, whether it stands beside the pixels or among them. If the rewritten file decodes
without a warning, it was beside them: tables and scans are the same.

Source: ITU-T T.81, annex B; the behaviour of libjpeg, which looks for the next marker behind every segment.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from pixmill.imaging.parsers.jpeg import END_OF_IMAGE, FRAME_MARKERS, SEQUENTIAL
from pixmill.imaging.parsers.jpeg_entropy import Arrangement, Tables, without_leftover

START_OF_IMAGE = b"\xff\xd8"
MARKER = re.compile(rb"\xff+([^\x00\xff])")
#: Where the coded pixels of a scan end: at a marker that is none of a restart.
SCAN_END = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
STANDALONE = {0x01, *range(0xD0, 0xD8)}
SCAN, END, JFIF, ADOBE = 0xDA, 0xD9, 0xE0, 0xEE
CHANNELS_OFFSET = 9  # in the segment of a frame
JFIF_VERSION = 9  # the offset in its segment; there is only version 1
ADOBE_TRANSFORM = 15  # the offset in its segment
#: The transforms of colours that decoders know, the one they assume first, by the number of channels.
TRANSFORMS = {1: (0,), 3: (1, 0), 4: (2, 0)}
WHOLE_SPECTRUM = b"\0\x3f\0"  # the end of the header of a sequential scan

Trim = Literal["nothing", "zeros", "leftover"]
TRIMS: tuple[Trim, ...] = ("nothing", "zeros", "leftover")


class Segment(NamedTuple):
    """A marker segment with its marker; ``pixels`` are the coded ones that follow the header of a scan."""

    code: int
    content: bytes
    pixels: bytes = b""


def rewritten(data: bytes, *, trim: Trim = "nothing") -> bytes:
    """Return the JPEG ``data`` without bytes that belong to no segment and without statements that have no effect.

    ``trim`` says which bytes behind the coded pixels of a scan are left out as well: ``zeros``, or with ``leftover`` those that are
    certainly no pixels, which takes a second per megabyte. Returns ``b""`` if the file has no frame or no end; the end of a
    sequential file is added.
    """
    segments = list(_segments(data))
    frame = next((segment for segment in segments if segment.code in FRAME_MARKERS), None)
    if frame is None or len(frame.content) <= CHANNELS_OFFSET:
        return b""
    is_sequential = frame.code in SEQUENTIAL
    if segments[-1].code != END:
        if not is_sequential or segments[-1].code != SCAN:
            return b""
        segments.append(Segment(END, END_OF_IMAGE))
    parts, tables = [START_OF_IMAGE], Tables()
    for segment in segments:
        tables.define(segment.content)
        pixels = _without_zeros(segment.pixels) if trim == "zeros" else segment.pixels
        if trim == "leftover" and is_sequential and pixels:
            pixels = without_leftover(pixels, Arrangement.of(frame.content, segment.content), tables)
        parts += [_plain(segment, is_sequential=is_sequential, channels=frame.content[CHANNELS_OFFSET]), pixels]
    return b"".join(parts)


def _segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of ``data`` up to the end of the image; stops early where it is cut off."""
    offset = len(START_OF_IMAGE)
    while found := MARKER.search(data, offset):
        code, offset = found[1][0], found.end()
        if code == END:
            yield Segment(code, END_OF_IMAGE)
            return
        if code in STANDALONE:
            continue
        start, length = offset, int.from_bytes(data[offset : offset + 2])
        offset += length
        if length < 2 or offset > len(data):  # noqa: PLR2004  # the length counts itself
            return
        content = bytes((0xFF, code)) + data[start:offset]
        if code == SCAN:
            end = SCAN_END.search(data, offset)
            start, offset = offset, end.start() if end else len(data)
            yield Segment(code, content, data[start:offset])
        else:
            yield Segment(code, content)


def _plain(segment: Segment, *, is_sequential: bool, channels: int) -> bytes:
    """Return the segment with the values that decoders put in place of those that they do not know."""
    content = bytearray(segment.content)
    if segment.code == SCAN and is_sequential:
        content[-len(WHOLE_SPECTRUM) :] = WHOLE_SPECTRUM
    elif segment.code == JFIF and content[4:9] == b"JFIF\0" and len(content) > JFIF_VERSION:
        content[JFIF_VERSION] = 1
    elif segment.code == ADOBE and content[4:9] == b"Adobe" and len(content) > ADOBE_TRANSFORM:
        known = TRANSFORMS.get(channels, (0,))
        content[ADOBE_TRANSFORM] = content[ADOBE_TRANSFORM] if content[ADOBE_TRANSFORM] in known else known[0]
    return bytes(content)


def _without_zeros(pixels: bytes) -> bytes:
    """Return the coded ``pixels`` without zeros behind them; a decoder misses those that belong to the scan."""
    kept = pixels.rstrip(b"\0")
    return kept + b"\0" if kept.endswith(b"\xff") else kept
