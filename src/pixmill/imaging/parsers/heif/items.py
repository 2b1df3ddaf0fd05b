"""The directory of a HEIF or AVIF file: its items, their properties, how they refer to each other, and where their content is.

Source: ISO/IEC 14496-12, section 8.11 (meta, pitm, iinf, iloc, idat, iref); ISO/IEC 23008-12, section 9.3 (ipco, ipma).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pixmill.imaging.input import Data
from pixmill.imaging.parsers.boxes import FULL_BOX_BYTES, Box, boxes, whole, within

MIME = b"mime"
IN_FILE, IN_META = 0, 1  # construction methods
MAX_ITEMS, MAX_PROPERTIES, MAX_EXTENTS = 65_535, 65_535, 100_000
SHORT_NUMBERS = 2  # the version of infe with numbers of two bytes
CODINGS = {  # other than HEVC
    b"unci": "uncompressed samples", b"j2k1": "JPEG 2000", b"jpeg": "JPEG", b"av01": "AV1", b"vvc1": "VVC", b"evc1": "EVC",
    b"avc1": "AVC", b"lhv1": "layered HEVC", b"mski": "a mask",
}  # fmt: skip


class Item(NamedTuple):
    """An item: its type, its content type if that is ``mime``, and its extents: offset and length."""

    kind: bytes
    content_type: bytes
    method: int
    extents: tuple[tuple[int, int], ...]


class Reference(NamedTuple):
    """A statement of this ``kind`` of one item about others."""

    kind: bytes
    item: int
    others: tuple[int, ...]


class Directory(NamedTuple):
    """The box ``meta``, the boxes in it by type, the number of the primary item, and all items by number."""

    box: Box
    parts: Mapping[bytes, Box]
    primary: int
    items: Mapping[int, Item]


class _Reader:
    """Reads numbers one after the other. Raises ``IndexError`` at the end."""

    def __init__(self, data: Data, box: Box) -> None:
        self._data, self.offset, self._end = data, box.content, box.end

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def version(self) -> int:
        return self.number(FULL_BOX_BYTES) >> 24

    def take(self, size: int) -> bytes:
        if self.offset + size > self._end:
            raise IndexError
        self.offset += size
        return bytes(self._data[self.offset - size : self.offset])

    def text(self) -> bytes:
        end = self._data.find(b"\0", self.offset, self._end)
        if end < 0:
            raise IndexError
        value = bytes(self._data[self.offset : end])
        self.offset = end + 1
        return value


def read_directory(data: Data) -> Directory | None:
    """Return the directory of the file; ``None`` if it has none, or that is damaged."""
    box = next(within(data, whole(data), b"meta"), None)
    if box is None:
        return None
    parts = {each.kind: each for each in boxes(data, box.content + FULL_BOX_BYTES, box.end)}
    try:
        reader = _Reader(data, parts[b"pitm"])
        primary = reader.number(4 if reader.version() else 2)
        kinds, places = dict(_kinds(data, parts[b"iinf"])), dict(_places(data, parts[b"iloc"]))
    except (IndexError, KeyError):
        return None
    items = {number: Item(*kind, *places.get(number, (IN_FILE, ()))) for number, kind in kinds.items()}
    return Directory(box, parts, primary, items)


def coding(directory: Directory | None) -> str:
    """Return the name of a coding other than HEVC of an item; empty if there is none. See ISO/IEC 23008-12, 23001-17, 15444-16."""
    kinds = [item.kind for item in directory.items.values()] if directory else []
    return next((CODINGS[kind] for kind in kinds if kind in CODINGS), "")


def _kinds(data: Data, box: Box) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Yield number, type and content type of each item."""
    reader = _Reader(data, box)
    count = reader.number(4 if reader.version() else 2)
    for each in boxes(data, reader.offset, box.end):
        entry = _Reader(data, each)
        version = entry.version()
        if each.kind != b"infe" or version not in (2, 3) or count > MAX_ITEMS:
            continue
        number = entry.number(2 if version == SHORT_NUMBERS else 4)
        entry.take(2)
        kind = entry.take(4)
        entry.text()
        yield number, (kind, entry.text() if kind == MIME else b"")


def _places(data: Data, box: Box) -> Iterator[tuple[int, tuple[int, tuple[tuple[int, int], ...]]]]:
    """Yield number, construction method and extents of each item."""
    reader = _Reader(data, box)
    version = reader.version()
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2  # noqa: PLR2004  # the version with long numbers
    left = MAX_EXTENTS
    for _ in range(min(reader.number(wide), MAX_ITEMS)):
        number = reader.number(wide)
        method = reader.number(2) & 15 if version else IN_FILE
        reader.take(2)
        base = reader.number(base_size)
        extents = []
        count = reader.number(2)
        left -= count
        if left < 0:  # extents may take no bytes at all, so the end of the box does not limit them
            raise IndexError
        for _ in range(count):
            reader.take(index_size if version else 0)
            offset = reader.number(offset_size)
            extents.append((base + offset, reader.number(length_size)))
        yield number, (method, tuple(extents))


def references(data: Data, directory: Directory) -> Iterator[Reference]:
    """Yield what items say about others, up to the first damage."""
    box = directory.parts.get(b"iref")
    if box is None:
        return
    try:
        size = 4 if _Reader(data, box).version() else 2
        for each in boxes(data, box.content + FULL_BOX_BYTES, box.end):
            reader = _Reader(data, each)
            item = reader.number(size)
            yield Reference(each.kind, item, tuple(reader.number(size) for _ in range(reader.number(2))))
    except IndexError:
        return


def properties(data: Data, directory: Directory, numbers: Sequence[int]) -> list[Box]:
    """Return the properties of the items with these ``numbers``, those of the first before the others.

    Raise ``IndexError`` or ``KeyError`` if they are damaged.
    """
    tables = {each.kind: each for each in boxes(data, directory.parts[b"iprp"].content, directory.parts[b"iprp"].end)}
    known = list(boxes(data, tables[b"ipco"].content, tables[b"ipco"].end))
    reader = _Reader(data, tables[b"ipma"])
    head = reader.number(FULL_BOX_BYTES)
    item_size, index_size = 4 if head >> 24 else 2, 2 if head & 1 else 1
    found: dict[int, list[int]] = {}
    for _ in range(min(reader.number(4), MAX_ITEMS)):
        item = reader.number(item_size)
        # without the bit for "essential"
        found[item] = [reader.number(index_size) & (1 << 8 * index_size - 1) - 1 for _ in range(reader.number(1))]
    return [known[index - 1] for number in numbers for index in found.get(number, ()) if 0 < index <= len(known)]


def content(data: Data, directory: Directory, item: Item, *, most: int) -> bytes:
    """Return the content of ``item``, at most ``most`` bytes of it; empty if it is not in the file, or made of other items."""
    start, end = 0, len(data)
    if item.method == IN_META and (box := directory.parts.get(b"idat")) is not None:
        start, end = box.content, box.end
    elif item.method != IN_FILE:
        return b""
    found = bytearray()
    for offset, length in item.extents:
        place = start + offset
        found += data[place : min(end, place + min(length, most - len(found)))]
        if len(found) >= most:
            break
    return bytes(found)
