"""Rewrite the directories of a TIFF without what cannot be read and defines no pixel.

TIFF 6.0 tells readers to skip fields that they do not know; libtiff warns about them, and stops at offsets beyond the file. The
pixels stay where they are: new directories are put behind the file.

Source: TIFF 6.0, section 2; the BigTIFF proposal.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from pixmill.imaging.parsers.tiff import BIGTIFF_VERSION, HEIGHT, MAX_DIRECTORIES, MAX_ENTRIES, ORDERS, WIDTH

#: The bytes of a value by its type.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
LONG, RATIONAL, ASCII, BYTES = (4, 13, 16, 18), (5,), (2,), (1, 7)
NUMBERS = (1, 3, *LONG)
PLACES = {273, 324, 513}  # of strips, of tiles, and of an old-style JPEG
MAX_CLASSIC_BYTES = 1 << 32
#: The types of the fields that are kept, by tag: first those that define the pixels, which are kept even if they cannot be read.
PIXELS: Mapping[int, tuple[int, ...]] = dict.fromkeys(
    (254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 321, 322, 323, 324, 325, 332, 334, 338,
     339, 340, 341, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 532),
    tuple(SIZES),
)  # fmt: skip
OTHERS: Mapping[int, tuple[int, ...]] = {
    274: NUMBERS, 282: RATIONAL, 283: RATIONAL, 296: NUMBERS, 318: RATIONAL, 319: RATIONAL, 330: LONG, 700: BYTES, 33723: (4, 7, 1),
    34377: BYTES, 34665: LONG, 34675: BYTES, 34853: LONG, 50706: (1,),
    **dict.fromkeys((269, 270, 271, 272, 285, 305, 306, 315, 316, 33432), ASCII),
}  # fmt: skip


class Layout(NamedTuple):
    """How the numbers of a file are stored."""

    order: str
    is_big: bool

    @property
    def entries(self) -> str:
        """Return the struct code of the number of entries."""
        return self.order + ("Q" if self.is_big else "H")

    @property
    def offset(self) -> str:
        """Return the struct code of an offset."""
        return self.order + ("Q" if self.is_big else "I")

    @property
    def endian(self) -> Literal["little", "big"]:
        """Return the byte order by its name."""
        return "little" if self.order == "<" else "big"

    @property
    def entry(self) -> struct.Struct:
        """Return the layout of an entry: tag, type, number of values, and these or their offset."""
        return struct.Struct(self.order + ("HHQ8s" if self.is_big else "HHI4s"))


class Entry(NamedTuple):
    """An entry as it is stored; ``text`` replaces a text without its end, which is stored behind the file."""

    tag: int
    kind: int
    values: int
    value: bytes
    text: bytes = b""


def rewritten(data: bytes) -> bytes:
    """Return the file ``data`` with the readable entries of its pages alone, up to the first page that is broken.

    Return ``b""`` if there is no whole page, or no room for offsets behind it.
    """
    try:
        layout = Layout(ORDERS[data[:2]], is_big=struct.unpack_from(ORDERS[data[:2]] + "H", data, 2)[0] == BIGTIFF_VERSION)
        pages = list(_pages(data, layout))
    except (KeyError, struct.error):
        return b""
    at, width = (8, 8) if layout.is_big else (4, 4)
    file = bytearray(data) + bytes(len(data) % 2)
    for entries in pages:
        stored = [_stored(file, entry, layout) for entry in entries]
        file[at : at + width] = struct.pack(layout.offset, len(file))
        file += struct.pack(layout.entries, len(stored)) + b"".join(stored)
        at = len(file)
        file += bytes(width + width % 2)
    return bytes(file) if pages and (layout.is_big or len(file) < MAX_CLASSIC_BYTES) else b""


def _stored(file: bytearray, entry: Entry, layout: Layout) -> bytes:
    """Return ``entry`` in its layout, after adding its text to ``file``."""
    value = entry.value
    if entry.text:
        is_inline = len(entry.text) <= len(value)
        value = entry.text.ljust(len(value), b"\0") if is_inline else struct.pack(layout.offset, len(file))
        file += b"" if is_inline else entry.text + bytes(len(entry.text) % 2)
    return layout.entry.pack(entry.tag, entry.kind, len(entry.text) or entry.values, value)


def _pages(data: bytes, layout: Layout) -> Iterator[list[Entry]]:
    """Yield the entries of each page that can be kept, sorted."""
    (offset,) = struct.unpack_from(layout.offset, data, 8 if layout.is_big else 4)
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < MAX_DIRECTORIES:
        seen.add(offset)
        start = offset + struct.calcsize(layout.entries)
        (count,) = struct.unpack(layout.entries, data[offset:start].ljust(start - offset, b"\0"))
        end = start + count * layout.entry.size
        if count > MAX_ENTRIES or end > len(data):
            return
        entries = _kept(data, layout, start, end)
        if not {WIDTH, HEIGHT} <= entries.keys() or not entries.keys() & PLACES:
            return
        yield [entries[tag] for tag in sorted(entries)]
        following = data[end : end + struct.calcsize(layout.offset)]
        offset = int.from_bytes(following, layout.endian)


def _kept(data: bytes, layout: Layout, start: int, end: int) -> dict[int, Entry]:
    """Return the entries from ``start`` to ``end`` that define pixels, or are known and can be read, by tag; the first of each."""
    kept: dict[int, Entry] = {}
    for tag, kind, count, value in layout.entry.iter_unpack(data[start:end]):
        size = SIZES.get(kind, 0) * count
        place = 0 if size <= len(value) else int.from_bytes(value, layout.endian)
        if tag in PIXELS:
            kept.setdefault(tag, Entry(tag, kind, count, value))
        elif kind in OTHERS.get(tag, ()) and size > 0 and place + size <= len(data):
            text = (data[place : place + size] if place else value[:size]) if kind in ASCII else b""
            kept.setdefault(tag, Entry(tag, kind, count, value, b"" if not text or text.endswith(b"\0") else text + b"\0"))
    return kept
