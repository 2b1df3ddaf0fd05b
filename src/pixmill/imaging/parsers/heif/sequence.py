"""Count the frames of a moving AVIF or HEIF, which not every decoder here does.

Source: ISO/IEC 23008-12, section 7 (image sequences); ISO/IEC 14496-12, sections 8.4.3 (hdlr) and 8.7.3 (stsz, stz2).
"""

from pixmill.imaging.input import Data
from pixmill.imaging.parsers.boxes import FULL_BOX_BYTES, Box, boxes, whole, within

PICTURES = (b"pict", b"vide")  # the handlers of tracks that are shown; those of alpha, depth and sound are others
HANDLER = slice(FULL_BOX_BYTES + 4, FULL_BOX_BYTES + 8)
SAMPLE_COUNT = slice(FULL_BOX_BYTES + 4, FULL_BOX_BYTES + 8)
SAMPLE_SIZES = (b"stsz", b"stz2")


def frame_count(data: Data) -> int:
    """Return the number of frames of the longest track of pictures; 0 if there is none."""
    return max((_samples(data, media) for media in within(data, whole(data), b"moov", b"trak", b"mdia")), default=0)


def _samples(data: Data, media: Box) -> int:
    handlers = (bytes(data[box.content : box.end])[HANDLER] for box in within(data, media, b"hdlr"))
    if not any(handler in PICTURES for handler in handlers):
        return 0
    tables = (box for table in within(data, media, b"minf", b"stbl") for box in boxes(data, table.content, table.end))
    return max(
        (int.from_bytes(bytes(data[box.content : box.end])[SAMPLE_COUNT]) for box in tables if box.kind in SAMPLE_SIZES), default=0
    )
