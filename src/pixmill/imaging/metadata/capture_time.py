"""Read from EXIF when a picture was taken.

Source: CIPA DC-008 (EXIF 2.32), sections 4.6.2, 4.6.4 and 4.6.5.
"""

import re
import struct
from datetime import datetime
from mmap import mmap

PREFIX = b"Exif\0\0"
ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
EXIF_DIRECTORY = 34665
CHANGED, TAKEN, DIGITIZED = 306, 36867, 36868  # DateTime, DateTimeOriginal, DateTimeDigitized
ASCII = 2
INLINE_BYTES = 4
MAX_BYTES = 64  # of a date
_DATE = re.compile(rb"\s*(\d{4})[:/.-](\d\d)[:/.-](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?")

Block = bytes | mmap


def capture_time(block: Block) -> str:
    """Return the date in an EXIF ``block``, or in a TIFF file, as ``2024-05-17T10:11:12``; empty if it has no valid one.

    It is that of the picture, else that of its digitization, else that of the last change; by the clock of the camera.
    """
    if block[: len(PREFIX)] == PREFIX:
        block = block[len(PREFIX) :]
    order = ORDERS.get(block[:4])
    if order is None:
        return ""
    main = _directory(block, order, _number(block, order, 4))
    details = _directory(block, order, main[EXIF_DIRECTORY][1]) if EXIF_DIRECTORY in main else {}
    texts = (_text(block, entries.get(tag)) for entries, tag in ((details, TAKEN), (details, DIGITIZED), (main, CHANGED)))
    return next(filter(None, map(_iso, texts)), "")


def _directory(block: Block, order: str, start: int) -> dict[int, tuple[int, int]]:
    """Return the size of each entry of the directory at ``start`` that this module reads, and the offset of its value."""
    if start + 2 > len(block):
        return {}
    found = {}
    (count,) = struct.unpack_from(order + "H", block, start)
    for offset in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", block, offset)
        if tag == EXIF_DIRECTORY:
            found[tag] = 0, _number(block, order, offset + 8)
        elif tag in (CHANGED, TAKEN, DIGITIZED) and kind == ASCII and values <= MAX_BYTES:
            found[tag] = values, offset + 8 if values <= INLINE_BYTES else _number(block, order, offset + 8)
    return found


def _number(block: Block, order: str, offset: int) -> int:
    """Return the number of four bytes at ``offset``; a place beyond the end if there is none."""
    if offset + 4 > len(block):
        return len(block)
    number: int = struct.unpack_from(order + "I", block, offset)[0]
    return number


def _text(block: Block, entry: tuple[int, int] | None) -> bytes:
    return block[entry[1] : entry[1] + entry[0]] if entry else b""


def _iso(text: bytes) -> str:
    found = _DATE.match(text)
    if found is None:
        return ""
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001  # the time zone is not known
    except ValueError:  # 0000:00:00, as cameras write whose clock was not set
        return ""
