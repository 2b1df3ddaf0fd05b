"""Metadata in AVIF and HEIF: items of the types ``Exif`` and ``mime``.

Source: ISO/IEC 14496-12, sections 8.7.5, 8.11.3, 8.11.6 and 8.11.12; ISO/IEC 23008-12, annex A.
"""

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from pixmill.imaging.metadata import exif
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.container import Container, Data
from pixmill.imaging.metadata.containers.boxes import Box, boxes, packed

FULL_BOX_BYTES = 4  # version and flags
XMP_TYPE = b"application/rdf+xml"
EXIF, MIME, TONE_MAP, DESCRIBES = b"Exif", b"mime", b"tmap", b"cdsc"
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
IN_FILE, IN_META = 0, 1  # construction methods
#: The boxes in which the offsets of an animation's frames are, from the outermost to the tables themselves.
TO_OFFSETS = ((b"moov",), (b"trak",), (b"mdia",), (b"minf",), (b"stbl",), (b"stco", b"co64"))
MAX_ITEMS, MAX_EXTENTS = 65_535, 100_000
MAX_ITEM_BYTES = 64_000_000
#: The boxes of a file that holds images and nothing else, and the types of their items.
PLAIN_BOXES, PLAIN_ITEMS = {b"ftyp", b"meta", b"mdat", b"free"}, {b"av01", b"hvc1", b"grid"}


class Item(NamedTuple):
    """An item: its type, its content type if that is ``mime``, and its extents: offset and length."""

    kind: bytes
    content_type: bytes
    method: int
    extents: tuple[tuple[int, int], ...]


class _Meta(NamedTuple):
    """The box ``meta``, the boxes in it by type, the primary item, and all items by number."""

    box: Box
    parts: Mapping[bytes, Box]
    primary: int
    items: Mapping[int, Item]


class _Reader:
    """Reads numbers one after the other. Raises ``IndexError`` at the end."""

    def __init__(self, data: Data, offset: int, end: int) -> None:
        self._data, self.offset, self._end = data, offset, end

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

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


def _meta(data: Data) -> _Meta | None:
    box = next((each for each in boxes(data, 0, len(data)) if each.kind == b"meta"), None)
    if box is None:
        return None
    parts = {each.kind: each for each in boxes(data, box.content + FULL_BOX_BYTES, box.end)}
    with suppress(IndexError, KeyError):
        primary = parts[b"pitm"]
        reader = _Reader(data, primary.content, primary.end)
        wide = reader.number(FULL_BOX_BYTES) >> 24
        kinds, places = dict(_kinds(data, parts[b"iinf"])), dict(_places(data, parts[b"iloc"]))
        items = {number: Item(*kind, *places.get(number, (IN_FILE, ()))) for number, kind in kinds.items()}
        return _Meta(box, parts, reader.number(4 if wide else 2), items)
    return None


def _kinds(data: Data, box: Box) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Yield number, type and content type of each item."""
    reader = _Reader(data, box.content, box.end)
    count = reader.number(4 if reader.number(FULL_BOX_BYTES) >> 24 else 2)
    for each in boxes(data, reader.offset, box.end):
        entry = _Reader(data, each.content, each.end)
        version = entry.number(FULL_BOX_BYTES) >> 24
        if each.kind != b"infe" or version not in (2, 3) or count > MAX_ITEMS:
            continue
        number = entry.number(2 if version == 2 else 4)  # noqa: PLR2004  # the version with short numbers
        entry.take(2)
        kind = entry.take(4)
        entry.text()
        yield number, (kind, entry.text() if kind == MIME else b"")


def _places(data: Data, box: Box) -> Iterator[tuple[int, tuple[int, tuple[tuple[int, int], ...]]]]:
    """Yield number, construction method and extents of each item."""
    reader = _Reader(data, box.content, box.end)
    version = reader.number(FULL_BOX_BYTES) >> 24
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


def read(data: Data) -> Blocks:
    """Return the metadata of the primary image."""
    meta = _meta(data)
    if meta is None:
        return Blocks()
    found: dict[bytes, bytes] = {}
    described = _described(data, meta)
    for item in (meta.items[number] for number in sorted(meta.items, key=lambda number: number not in described)):
        if item.kind == EXIF or (item.kind == MIME and item.content_type == XMP_TYPE):
            found.setdefault(item.kind, _content(data, meta, item))
    block = found.get(EXIF, b"")
    block = exif.behind_offset(block)
    is_apple = data.find(APPLE_GAIN_MAP, meta.box.start, meta.box.end) >= 0
    return Blocks(
        exif=block,
        xmp=found.get(MIME, b""),
        resolution=exif.resolution(block),
        has_gain_map=is_apple or any(item.kind == TONE_MAP for item in meta.items.values()),
    )


def _described(data: Data, meta: _Meta) -> set[int]:
    """Return the items that describe the primary image."""
    box = meta.parts.get(b"iref")
    found: set[int] = set()
    with suppress(IndexError):
        version = _Reader(data, box.content, box.end).number(FULL_BOX_BYTES) >> 24 if box else 0
        for each in boxes(data, box.content + FULL_BOX_BYTES, box.end) if box else ():
            reader, size = _Reader(data, each.content, each.end), 4 if version else 2
            number = reader.number(size)
            if each.kind == DESCRIBES and meta.primary in [reader.number(size) for _ in range(reader.number(2))]:
                found.add(number)
    return found


def _content(data: Data, meta: _Meta, item: Item) -> bytes:
    start, end = 0, len(data)
    if item.method == IN_META and (box := meta.parts.get(b"idat")) is not None:
        start, end = box.content, box.end
    elif item.method != IN_FILE:
        return b""
    pieces = (bytes(data[start + offset : min(end, start + offset + length)]) for offset, length in item.extents[:100])
    return b"".join(pieces) if sum(length for _, length in item.extents[:100]) <= MAX_ITEM_BYTES else b""


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with an item for each block, whose content is at the end of the file."""
    contents = [(EXIF, b"", bytes(4) + blocks.exif), (MIME, XMP_TYPE, blocks.xmp)]
    contents = [each for each, block in zip(contents, (blocks.exif, blocks.xmp), strict=True) if block]
    meta = _meta(data)
    if meta is None or not contents:
        return data
    first = max(meta.items) + 1
    added = {first + index: (kind, content_type) for index, (kind, content_type, _) in enumerate(contents)}
    names = b"".join(_entry(number, *kind) for number, kind in added.items())
    references = b"".join(packed(DESCRIBES, struct.pack(">HHH", number, 1, meta.primary)) for number in added)
    sizes = [len(content) for *_, content in contents]
    # The directory of items has the same length whatever its offsets are, so it is made once to measure it.
    length = len(_with(data, meta, names, references, _locations(meta, added, 0, 0, sizes)))
    shift = length - (meta.box.end - meta.box.start)
    start = len(data) + shift + 8
    box = _with(data, meta, names, references, _locations(meta, added, shift, start, sizes))
    body = packed(b"mdat", b"".join(content for *_, content in contents))
    rest = _with_frames_moved(data, shift)[meta.box.end :]
    return b"".join([data[: meta.box.start], box, rest, body])


def _with_frames_moved(data: bytes, shift: int) -> bytes:
    """Return ``data`` with the offsets of the frames of an animation moved by ``shift``."""
    out = bytearray(data)
    containers = [Box(b"", 0, 0, len(data))]
    for path in TO_OFFSETS:
        containers = [each for parent in containers for each in boxes(data, parent.content, parent.end) if each.kind in path]
    for box in containers:
        code = "Q" if box.kind == b"co64" else "I"
        count = int.from_bytes(data[box.content + 4 : box.content + 8])
        offsets = struct.unpack_from(f">{count}{code}", data, box.content + 8)
        struct.pack_into(f">{count}{code}", out, box.content + 8, *(offset + shift for offset in offsets))
    return bytes(out)


def _entry(number: int, kind: bytes, content_type: bytes) -> bytes:
    name = b"\0" + (content_type + b"\0" if content_type else b"")
    return packed(b"infe", bytes((2, 0, 0, 0)) + number.to_bytes(2) + bytes(2) + kind + name)


def _locations(meta: _Meta, added: Mapping[int, object], shift: int, start: int, sizes: list[int]) -> bytes:
    """Return the box ``iloc`` for the items as they are, moved by ``shift``, and for the added ones from ``start`` on."""
    rows = [
        (number, item.method, [(offset + (shift if item.method == IN_FILE else 0), length) for offset, length in item.extents])
        for number, item in sorted(meta.items.items())
    ]
    for number, size in zip(added, sizes, strict=True):
        rows.append((number, IN_FILE, [(start, size)]))
        start += size
    content = bytes((1, 0, 0, 0)) + struct.pack(">HH", 0x8800, len(rows))  # eight bytes for offsets and lengths
    for number, method, extents in rows:
        content += struct.pack(">HHHH", number, method, 0, len(extents)) + b"".join(struct.pack(">QQ", *each) for each in extents)
    return packed(b"iloc", content)


def _with(data: bytes, meta: _Meta, names: bytes, references: bytes, locations: bytes) -> bytes:
    """Return the box ``meta`` with more entries."""
    parts = [data[meta.box.content : meta.box.content + FULL_BOX_BYTES]]
    for kind, box in meta.parts.items():
        content = data[box.content : box.end]
        if kind == b"iinf":
            wide = 4 if content[0] else 2
            count = int.from_bytes(content[4 : 4 + wide]) + names.count(b"infe")
            parts.append(packed(kind, content[:4] + count.to_bytes(wide) + content[4 + wide :] + names))
        elif kind == b"iref":
            parts.append(packed(kind, content + references))
        else:
            parts.append(locations if kind == b"iloc" else data[box.start : box.end])
    if b"iref" not in meta.parts:
        parts.append(packed(b"iref", bytes(FULL_BOX_BYTES) + references))
    return packed(b"meta", b"".join(parts))


def bare(data: bytes) -> bytes | None:
    """Return ``data`` if it holds nothing but images; ``None`` otherwise."""
    meta = _meta(data)
    found = list(boxes(data, 0, len(data)))
    is_plain = bool(found) and found[-1].end == len(data) and {each.kind for each in found} <= PLAIN_BOXES
    return data if meta is not None and is_plain and {item.kind for item in meta.items.values()} <= PLAIN_ITEMS else None


CONTAINER = Container(read, write, bare, frozenset({"exif", "xmp"}))
