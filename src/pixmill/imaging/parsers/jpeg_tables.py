"""Read how a JPEG file was encoded: its quality, by its quantisation table, its chroma subsampling, and whether it is progressive.

Source: ITU-T T.81, annexes B and K; the scaling of the table by the quality is that of the library of the IJG.
"""

from functools import cache
from typing import NamedTuple

from pixmill.imaging.input import Data
from pixmill.imaging.parsers.jpeg import FRAME_MARKERS, PROGRESSIVE, SEGMENT_MARKER, START_OF_SCAN

QUANTISATION_TABLES = 0xDB
#: Table K.1, for luma, row by row.
LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
MIN_QUALITY, MIDDLE_QUALITY, MAX_QUALITY, MAX_STEP = 1, 50, 100, 255
VALUES = 64  # in a table
FRAME_BANDS, FIRST_BAND, BAND_BYTES = 9, 10, 3  # offsets in the segment of a frame, with its marker


class Encoding(NamedTuple):
    """How a file was encoded.

    ``quality``: on the scale of the IJG, the highest whose steps are not finer than those of the file on average; 0 if unknown.
    ``sampling``: the factors of luma relative to chroma, across and down: (2, 2) for 4:2:0; ``None`` for gray and unusual files.
    """

    quality: int = 0
    sampling: tuple[int, int] | None = None
    is_progressive: bool = False


def read(data: Data) -> Encoding:
    """Return how the file ``data`` was encoded, by the segments before its first scan."""
    tables: dict[int, int] = {}  # the sum of the steps, by number
    frame, offset = b"", 2
    while (marker := SEGMENT_MARKER.search(data, offset)) and marker[0] != START_OF_SCAN:
        end = marker.end() + max(2, int.from_bytes(data[marker.end() : marker.end() + 2]))
        segment, code = bytes(data[marker.start() : end]), marker[0][1]
        if code == QUANTISATION_TABLES:
            tables |= _sums(segment[4:])
        elif code in FRAME_MARKERS:
            frame = segment
        offset = end
    if len(frame) < FIRST_BAND + BAND_BYTES:
        return Encoding()
    total = tables.get(frame[FIRST_BAND + 2], 0)
    return Encoding(_quality(total) if total else 0, _sampling(frame), frame[1] in PROGRESSIVE)


def _sums(content: bytes) -> dict[int, int]:
    """Return the sum of each table in the ``content`` of a segment; an incomplete table is left out."""
    sums = {}
    while content:
        width, number = (2 if content[0] >> 4 else 1), content[0] & 15
        values, content = content[1 : 1 + VALUES * width], content[1 + VALUES * width :]
        if len(values) == VALUES * width:
            sums[number] = sum(int.from_bytes(values[index : index + width]) for index in range(0, len(values), width))
    return sums


def _quality(total: int) -> int:
    """Return the highest quality whose table has at least the sum ``total``."""
    return next((quality for quality in range(MAX_QUALITY, MIN_QUALITY, -1) if _sum_at(quality) >= total), MIN_QUALITY)


@cache
def _sum_at(quality: int) -> int:
    """Return the sum of the table for luma at ``quality``."""
    scale = 200 - 2 * quality if quality >= MIDDLE_QUALITY else 5000 // quality
    return sum(min(max((value * scale + 50) // 100, 1), MAX_STEP) for value in LUMA)


def _sampling(frame: bytes) -> tuple[int, int] | None:
    """Return the factors of luma, if there are three channels, and both of chroma have the factor 1."""
    bands = frame[FIRST_BAND:]
    if frame[FRAME_BANDS] != BAND_BYTES or len(bands) < BAND_BYTES * 3:
        return None
    luma, *chroma = (bands[index * BAND_BYTES + 1] for index in range(3))
    return (luma >> 4, luma & 15) if set(chroma) == {0x11} else None
