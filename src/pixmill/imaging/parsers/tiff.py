"""The numbers in the first directory of a TIFF file, which say what its samples mean: libvips does not hand them all out.

Source: TIFF 6.0, sections 2 and 8; the BigTIFF proposal.
"""

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from pixmill.imaging.input import Input

PHOTOMETRIC, PLANAR, EXTRA_SAMPLES = 262, 284, 338
YCBCR, SEPARATE_PLANES = 6, 2
#: What an extra sample must say of itself to be opacity: associated, or not.
OPACITY = (1, 2)
ORDERS = {b"II": "<", b"MM": ">"}
BIG = 43
#: The code and size of a number, by the type that an entry gives.
NUMBERS = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 13: ("I", 4), 16: ("Q", 8)}
MOST = 64  # values of one entry, and far more entries than a directory of pictures has
MOST_ENTRIES = 4096

Tags = Mapping[int, tuple[int, ...]]


def read(source: Input) -> Tags:
    """Return the values of the entries that hold a few numbers, by tag; empty when there is no such directory."""
    with io.BytesIO(source.data) if source.data is not None else Path(source.name).open("rb") as file:
        try:
            return _directory(file)
        except (struct.error, KeyError, OverflowError):
            return {}


def opacity(tags: Tags) -> int | None:
    """Return which of the extra samples is opacity, counted from 0; ``None`` for none of them.

    Files that say nothing at all about a fourth sample mean opacity by it.
    """
    extras = tags.get(EXTRA_SAMPLES, OPACITY[1:])
    return next((index for index, kind in enumerate(extras) if kind in OPACITY), None)


def _directory(file: BinaryIO) -> dict[int, tuple[int, ...]]:
    order = ORDERS[file.read(2)]
    big = _numbers(file, order + "H")[0] == BIG
    if big:
        file.seek(8)
    file.seek(_numbers(file, order + ("Q" if big else "I"))[0])
    count = min(_numbers(file, order + ("Q" if big else "H"))[0], MOST_ENTRIES)
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    entries = [entry.unpack(file.read(entry.size)) for _ in range(count)]
    return {tag: _values(file, order, kind, many, place) for tag, kind, many, place in entries if kind in NUMBERS and many <= MOST}


def _values(file: BinaryIO, order: str, kind: int, count: int, place: bytes) -> tuple[int, ...]:
    """Return the numbers of an entry: those in ``place`` itself, or those at the offset that it holds."""
    code, size = NUMBERS[kind]
    if count * size <= len(place):
        return struct.unpack_from(f"{order}{count}{code}", place)
    file.seek(struct.unpack(order + ("Q" if len(place) == struct.calcsize("Q") else "I"), place)[0])
    return _numbers(file, f"{order}{count}{code}")


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
