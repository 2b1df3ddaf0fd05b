"""Write TIFF files of any layout, uncompressed, by TIFF 6.0."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MIN_IS_WHITE, MIN_IS_BLACK, RGB, CMYK, YCBCR, LAB, RAW = 0, 1, 2, 5, 6, 8, 32803
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
TEXT, RATIONAL, SIGNED_RATIONAL = "text", "rational", "signed rational"
#: The struct code of a value, its type in TIFF, and how many numbers make one.
TYPES = {
    "B": ("B", 1, 1), TEXT: ("B", 2, 1), "H": ("H", 3, 1), "I": ("I", 4, 1), RATIONAL: ("I", 5, 2), SIGNED_RATIONAL: ("i", 10, 2),
}  # fmt: skip
ROWS_PER_STRIP = 7

Array = np.ndarray[Any, np.dtype[Any]]
#: The struct code and the values of an entry by its tag; values of the code "page" are numbers of pages outside of the main chain.
Entries = Mapping[int, tuple[str, Sequence[int]]]
Page = tuple[Entries, list[bytes]]


def tiff(
    samples: Array, photometric: int, *, extra: Sequence[int] = (), planar: bool = False, tags: Entries | None = None
) -> bytes:
    """Return a TIFF of ``samples`` (height, width, channels), of 8 or 16 bits, whose last channels are of the kinds ``extra``."""
    return joined([page(samples, photometric, extra=extra, planar=planar, tags=tags)])


def page(samples: Array, photometric: int, *, extra: Sequence[int] = (), planar: bool = False, tags: Entries | None = None) -> Page:
    """Return the entries and the strips of one directory."""
    samples = samples if samples.ndim == 3 else samples[..., None]
    height, width, channels = samples.shape
    planes = np.moveaxis(samples, -1, 0)[..., None] if planar else [samples]
    strips = [
        np.ascontiguousarray(plane[start : start + ROWS_PER_STRIP]).astype(samples.dtype.newbyteorder("<")).tobytes()
        for plane in planes
        for start in range(0, height, ROWS_PER_STRIP)
    ]
    entries: dict[int, tuple[str, Sequence[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [8 * samples.dtype.itemsize] * channels),
        259: ("H", [1]),
        262: ("H", [photometric]),
        277: ("H", [channels]),
        278: ("I", [ROWS_PER_STRIP]),
        284: ("H", [2 if planar else 1]),
        **({338: ("H", extra)} if extra else {}),
        **(tags or {}),
    }
    return entries, strips


def joined(pages: Sequence[Page]) -> bytes:
    """Return a TIFF of these pages."""
    hidden = {number for entries, _ in pages for code, values in entries.values() if code == "page" for number in values}
    data = bytearray(b"II*\0\0\0\0\0")
    starts: dict[int, int] = {}
    for number in reversed(range(len(pages))):
        entries, strips = pages[number]
        offsets = []
        for strip in strips:
            offsets.append(len(data))
            data += strip + bytes(len(strip) % 2)
        entries = {**entries, 273: ("I", offsets), 279: ("I", [len(strip) for strip in strips])}
        later = [each for each in range(number + 1, len(pages)) if each not in hidden]
        starts[number] = _directory(data, entries, starts, starts[later[0]] if later and number not in hidden else 0)
    data[4:8] = struct.pack("<I", starts[0])
    return bytes(data)


def joined_with_pixels_last(pages: Sequence[Page]) -> bytes:
    """Return a TIFF of these pages with all directories in front, as cameras write them; only the first is in the main chain."""

    def directories(place: int) -> bytes:
        """Return the directories for strips that begin at ``place``."""
        data, starts, rows = bytearray(b"II*\0\0\0\0\0"), dict[int, int](), list[Entries]()
        for entries, strips in pages:
            offsets = [place := place + size for size in (0, *map(len, strips))]
            rows.append({**entries, 273: ("I", offsets[:-1]), 279: ("I", [len(strip) for strip in strips])})
        for number in reversed(range(len(pages))):
            starts[number] = _directory(data, rows[number], starts, 0)
        data[4:8] = struct.pack("<I", starts[0])
        return bytes(data)

    return directories(len(directories(0))) + b"".join(strip for _, strips in pages for strip in strips)


def _directory(data: bytearray, entries: Entries, starts: Mapping[int, int], following: int) -> int:
    rows = b""
    for tag, (kind, values) in sorted(entries.items()):
        code, numbers = ("I", [starts[number] for number in values]) if kind == "page" else (kind, values)
        letter, type_number, each = TYPES[code]
        packed = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        if len(packed) > 4:
            place = len(data)
            data += packed + bytes(len(packed) % 2)
            packed = struct.pack("<I", place)
        rows += struct.pack("<HHI", tag, type_number, len(numbers) // each) + packed.ljust(4, b"\0")
    start = len(data)
    data += struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)
    return start
