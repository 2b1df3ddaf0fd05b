"""Read the numbers in the first directory of a TIFF file that define its samples; libvips does not expose them all.

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
#: The kinds of extra samples that are alpha: associated and unassociated.
ALPHA_KINDS = (1, 2)
ORDERS = {b"II": "<", b"MM": ">"}
BIGTIFF_VERSION = 43
#: The struct code and size of a number, by entry type.
NUMBER_TYPES = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 13: ("I", 4), 16: ("Q", 8)}
MAX_VALUES = 64  # per entry
MAX_ENTRIES = 4096  # far more than the directory of an image has

Tags = Mapping[int, tuple[int, ...]]


def read(source: Input) -> Tags:
    """Return the values of entries with at most ``MAX_VALUES`` numbers, by tag; empty if the directory is unreadable."""
    with io.BytesIO(source.data) if source.data is not None else Path(source.name).open("rb") as file:
        try:
            return _directory(file)
        except (struct.error, KeyError, OverflowError):
            return {}


def alpha_index(tags: Tags) -> int | None:
    """Return the index of the extra sample that is alpha, counted from 0; ``None`` if none is.

    In files that do not describe their extra samples, the first one is alpha.
    """
    extras = tags.get(EXTRA_SAMPLES, ALPHA_KINDS[1:])
    return next((index for index, kind in enumerate(extras) if kind in ALPHA_KINDS), None)


def _directory(file: BinaryIO) -> dict[int, tuple[int, ...]]:
    order = ORDERS[file.read(2)]
    big = _numbers(file, order + "H")[0] == BIGTIFF_VERSION
    if big:
        file.seek(8)
    file.seek(_numbers(file, order + ("Q" if big else "I"))[0])
    count = min(_numbers(file, order + ("Q" if big else "H"))[0], MAX_ENTRIES)
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    entries = [entry.unpack(file.read(entry.size)) for _ in range(count)]
    return {
        tag: _values(file, order, kind, count_of_values, inline)
        for tag, kind, count_of_values, inline in entries
        if kind in NUMBER_TYPES and count_of_values <= MAX_VALUES
    }


def _values(file: BinaryIO, order: str, kind: int, count: int, inline: bytes) -> tuple[int, ...]:
    """Return the numbers of an entry, stored either in ``inline`` itself or at the offset that it contains."""
    code, size = NUMBER_TYPES[kind]
    if count * size <= len(inline):
        return struct.unpack_from(f"{order}{count}{code}", inline)
    file.seek(struct.unpack(order + ("Q" if len(inline) == struct.calcsize("Q") else "I"), inline)[0])
    return _numbers(file, f"{order}{count}{code}")


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))
