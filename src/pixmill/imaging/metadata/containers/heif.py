"""Metadata in AVIF and HEIF: items of the types ``Exif`` and ``mime``.

Source: ISO/IEC 14496-12, sections 8.7.5, 8.11.3, 8.11.6 and 8.11.12; ISO/IEC 23008-12, annex A.
"""

import struct
from collections.abc import Mapping

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import exif
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.container import Container
from pixmill.imaging.parsers.boxes import FULL_BOX_BYTES, boxes, packed, whole, within
from pixmill.imaging.parsers.heif.items import IN_FILE, MIME, Directory, Item, content, read_directory, references

XMP_TYPE = b"application/rdf+xml"
EXIF, TONE_MAP, DESCRIBES = b"Exif", b"tmap", b"cdsc"
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
#: The boxes in which the offsets of an animation's frames are, from the outermost on, and the tables themselves.
TO_OFFSETS, OFFSETS = (b"moov", b"trak", b"mdia", b"minf", b"stbl"), {b"stco": "I", b"co64": "Q"}
MAX_ITEM_BYTES = 64_000_000
#: The boxes of a file that holds images and nothing else, and the types of their items.
PLAIN_BOXES, PLAIN_ITEMS = {b"ftyp", b"meta", b"mdat", b"free"}, {b"av01", b"hvc1", b"grid"}


def read(data: Data) -> Blocks:
    """Return the metadata of the primary image."""
    directory = read_directory(data)
    if directory is None:
        return Blocks()
    found: dict[bytes, bytes] = {}
    described = {each.item for each in references(data, directory) if each.kind == DESCRIBES and directory.primary in each.others}
    for _, item in sorted(directory.items.items(), key=lambda each: each[0] not in described):
        if item.kind == EXIF or (item.kind == MIME and item.content_type == XMP_TYPE):
            found.setdefault(item.kind, _content(data, directory, item))
    block = found.get(EXIF, b"")
    block = exif.behind_offset(block)
    is_apple = data.find(APPLE_GAIN_MAP, directory.box.start, directory.box.end) >= 0
    return Blocks(
        exif=block,
        xmp=found.get(MIME, b""),
        resolution=exif.resolution(block),
        has_gain_map=is_apple or any(item.kind == TONE_MAP for item in directory.items.values()),
    )


def _content(data: Data, directory: Directory, item: Item) -> bytes:
    size = sum(length for _, length in item.extents)
    return content(data, directory, item, most=size) if size <= MAX_ITEM_BYTES else b""


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with an item for each block, whose content is at the end of the file."""
    contents = [(EXIF, b"", bytes(4) + blocks.exif), (MIME, XMP_TYPE, blocks.xmp)]
    contents = [each for each, block in zip(contents, (blocks.exif, blocks.xmp), strict=True) if block]
    directory = read_directory(data)
    if directory is None or not contents:
        return data
    first = max(directory.items) + 1
    added = {first + index: (kind, content_type) for index, (kind, content_type, _) in enumerate(contents)}
    names = b"".join(_entry(number, *kind) for number, kind in added.items())
    references = b"".join(packed(DESCRIBES, struct.pack(">HHH", number, 1, directory.primary)) for number in added)
    sizes = [len(content) for *_, content in contents]
    # The directory of items has the same length whatever its offsets are, so it is made once to measure it.
    length = len(_with(data, directory, names, references, _locations(directory, added, 0, 0, sizes)))
    shift = length - (directory.box.end - directory.box.start)
    start = len(data) + shift + 8
    box = _with(data, directory, names, references, _locations(directory, added, shift, start, sizes))
    body = packed(b"mdat", b"".join(content for *_, content in contents))
    rest = _with_frames_moved(data, shift)[directory.box.end :]
    return b"".join([data[: directory.box.start], box, rest, body])


def _with_frames_moved(data: bytes, shift: int) -> bytes:
    """Return ``data`` with the offsets of the frames of an animation moved by ``shift``."""
    out = bytearray(data)
    for table in within(data, whole(data), *TO_OFFSETS):
        for box in boxes(data, table.content, table.end):
            if code := OFFSETS.get(box.kind):
                count = int.from_bytes(data[box.content + FULL_BOX_BYTES : box.content + FULL_BOX_BYTES + 4])
                offsets = struct.unpack_from(f">{count}{code}", data, box.content + FULL_BOX_BYTES + 4)
                struct.pack_into(f">{count}{code}", out, box.content + FULL_BOX_BYTES + 4, *(each + shift for each in offsets))
    return bytes(out)


def _entry(number: int, kind: bytes, content_type: bytes) -> bytes:
    name = b"\0" + (content_type + b"\0" if content_type else b"")
    return packed(b"infe", bytes((2, 0, 0, 0)) + number.to_bytes(2) + bytes(2) + kind + name)


def _locations(directory: Directory, added: Mapping[int, object], shift: int, start: int, sizes: list[int]) -> bytes:
    """Return the box ``iloc`` for the items as they are, moved by ``shift``, and for the added ones from ``start`` on."""
    rows = [
        (number, item.method, [(offset + (shift if item.method == IN_FILE else 0), length) for offset, length in item.extents])
        for number, item in sorted(directory.items.items())
    ]
    for number, size in zip(added, sizes, strict=True):
        rows.append((number, IN_FILE, [(start, size)]))
        start += size
    content = bytes((1, 0, 0, 0)) + struct.pack(">HH", 0x8800, len(rows))  # eight bytes for offsets and lengths
    for number, method, extents in rows:
        content += struct.pack(">HHHH", number, method, 0, len(extents)) + b"".join(struct.pack(">QQ", *each) for each in extents)
    return packed(b"iloc", content)


def _with(data: bytes, directory: Directory, names: bytes, references: bytes, locations: bytes) -> bytes:
    """Return the box ``meta`` with more entries."""
    parts = [data[directory.box.content : directory.box.content + FULL_BOX_BYTES]]
    for kind, box in directory.parts.items():
        content = data[box.content : box.end]
        if kind == b"iinf":
            wide = 4 if content[0] else 2
            count = int.from_bytes(content[4 : 4 + wide]) + names.count(b"infe")
            parts.append(packed(kind, content[:4] + count.to_bytes(wide) + content[4 + wide :] + names))
        elif kind == b"iref":
            parts.append(packed(kind, content + references))
        else:
            parts.append(locations if kind == b"iloc" else data[box.start : box.end])
    if b"iref" not in directory.parts:
        parts.append(packed(b"iref", bytes(FULL_BOX_BYTES) + references))
    return packed(b"meta", b"".join(parts))


def bare(data: bytes) -> bytes | None:
    """Return ``data`` if it holds nothing but images; ``None`` otherwise."""
    directory = read_directory(data)
    found = list(boxes(data, 0, len(data)))
    is_plain = bool(found) and found[-1].end == len(data) and {each.kind for each in found} <= PLAIN_BOXES
    return data if directory is not None and is_plain and {item.kind for item in directory.items.values()} <= PLAIN_ITEMS else None


CONTAINER = Container(read, write, bare, frozenset({"exif", "xmp"}))
