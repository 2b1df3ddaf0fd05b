"""Metadata in JPEG: application segments and comments.

Sources: ITU-T T.81, annex B; ITU-T T.871 (JFIF); CIPA DC-008, section 4.7; XMP specification, part 3, section 1.1.3.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import exif, iptc, xmp, xmp_extended
from pixmill.imaging.metadata.blocks import EMPTY, Blocks, Resolution, Unit, resolution
from pixmill.imaging.metadata.container import Container

MAX_SEGMENT = 65_533  # bytes of content
APP0, APP1, APP2, APP13, APP14, COMMENT, START_OF_SCAN, END = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE, 0xDA, 0xD9
JFIF, PROFILE, PHOTOSHOP = b"JFIF\0", b"ICC_PROFILE\0", b"Photoshop 3.0\0"
XMP, EXTENDED = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
EXTENDED_HEAD = struct.Struct(">32sII")
MAX_CHUNK = MAX_SEGMENT - len(EXTENDED) - EXTENDED_HEAD.size
MULTI_PICTURE, ISO_GAIN_MAP = b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0"
GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/1.0/", b"urn:com:apple:photo:2020:aux:hdrgainmap")
#: How a JPEG begins that states no density.
SILENT = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01"
UNITS: Mapping[int, Unit] = {0: "", 1: "inch", 2: "cm"}
JFIF_DENSITY = struct.Struct(">BHH")
DENSITY_OFFSET, JFIF_BYTES, MAX_DENSITY = 7, 14, 65_535
APPLICATION = range(0xE0, 0xF0)
WITHOUT_CONTENT = {0x01, *range(0xD0, 0xD9)}
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class Segment(NamedTuple):
    """A segment: its marker, where it begins, and where its content does and ends."""

    code: int
    start: int
    content: int
    end: int


def segments(data: Data, offset: int = 2) -> Iterator[Segment]:
    """Yield the segments from ``offset`` up to the first scan, which is the last, or to the end of the image."""
    while offset + 4 <= len(data) and data[offset] == 0xFF:  # noqa: PLR2004  # the first byte of every marker
        code = data[offset + 1]
        if code == 0xFF:  # noqa: PLR2004  # a fill byte
            offset += 1
            continue
        size = 0 if code in WITHOUT_CONTENT else max(2, int.from_bytes(data[offset + 2 : offset + 4]))
        if code == END:
            return
        yield Segment(code, offset, offset + 4, min(len(data), offset + 2 + size))
        if code == START_OF_SCAN:
            return
        offset += 2 + size


def read(data: Data) -> Blocks:
    """Return the metadata before the first scan."""
    found: dict[int, list[bytes]] = {}
    scan = len(data)
    for segment in segments(data):
        if segment.code in APPLICATION or segment.code == COMMENT:
            found.setdefault(segment.code, []).append(bytes(data[segment.content : segment.end]))
        elif segment.code == START_OF_SCAN:
            scan = segment.start
    if not found:
        return EMPTY
    block = next(_behind(exif.PREFIX, found.get(APP1, ())), b"")
    packet = next(_behind(XMP, found.get(APP1, ())), b"")
    joined = _joined(packet, list(_behind(EXTENDED, found.get(APP1, ()))))
    datasets, resources = iptc.split_resources(b"".join(_behind(PHOTOSHOP, found.get(APP13, ()))))
    has_index = any(each.startswith((MULTI_PICTURE, ISO_GAIN_MAP)) for each in found.get(APP2, ()))
    return Blocks(
        exif=block,
        xmp=packet if joined is None else joined,
        iptc=datasets,
        resources=resources,
        comments=tuple(found.get(COMMENT, ())),
        resolution=exif.resolution(block) or next(map(_density, _behind(JFIF, found.get(APP0, ()))), None),
        is_incomplete=joined is None,
        has_gain_map=(has_index or GAIN_MAPS[0] in packet) and _follows(data, scan),
    )


def _behind(prefix: bytes, contents: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what follows ``prefix`` in those of ``contents`` that begin with it."""
    return (content[len(prefix) :] for content in contents if content.startswith(prefix))


def _follows(data: Data, offset: int) -> bool:
    """Return whether a gain map follows; its own XMP says so."""
    return any(data.find(mark, offset) >= 0 for mark in (*GAIN_MAPS, ISO_GAIN_MAP))


def _density(content: bytes) -> Resolution | None:
    unit, x, y = JFIF_DENSITY.unpack_from(content.ljust(JFIF_BYTES, b"\0"), DENSITY_OFFSET - len(JFIF))
    return resolution(x, y, UNITS[unit]) if unit in UNITS else None


def _joined(packet: bytes, chunks: Sequence[bytes]) -> bytes | None:
    """Return the packet with its extension if that is complete; ``None`` if it is not."""
    extensions: dict[bytes, dict[int, bytes]] = {}
    for chunk in chunks:
        name, _, place = EXTENDED_HEAD.unpack_from(chunk.ljust(EXTENDED_HEAD.size, b"\0"))
        extensions.setdefault(name, {})[place] = chunk[EXTENDED_HEAD.size :]
    wanted = next((name for name in extensions if name in packet), None)
    if wanted is None:
        return packet if b"HasExtendedXMP" not in packet else None
    extension = b"".join(chunk for _, chunk in sorted(extensions[wanted].items()))
    with suppress(xmp.Broken):
        return xmp_extended.joined(packet, extension) if xmp_extended.identifier(extension) == wanted.upper() else None
    return None


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with ``blocks`` behind its JFIF segment, whose density is set."""
    if blocks == EMPTY and data.startswith(SILENT):
        return data
    first = next(segments(data), None)
    has_jfif = first is not None and data[first.content : first.content + 5] == JFIF
    end = first.end if first is not None and has_jfif else 2
    added = b"".join(_segment(code, content) for code, content in _contents(blocks))
    head = bytearray(data[:end])
    if first is not None and has_jfif:
        JFIF_DENSITY.pack_into(head, first.content + DENSITY_OFFSET, *_density_of(blocks.resolution))
    return b"".join([head, added, memoryview(data)[end:]])


def _density_of(value: Resolution | None) -> tuple[int, int, int]:
    if value is None:
        return 0, 1, 1
    unit: Unit = "inch" if value.unit == "m" else value.unit
    sides = value.per(unit) if unit else (value.x, value.y)
    x, y = (max(1, round(side)) for side in sides)
    code = next(number for number, name in UNITS.items() if name == unit)
    return (code, x, y) if max(x, y) <= MAX_DENSITY else (0, 1, 1)


def _contents(blocks: Blocks) -> Iterator[tuple[int, bytes]]:
    if blocks.exif:
        yield APP1, exif.PREFIX + blocks.exif
    if blocks.xmp and len(blocks.xmp) <= xmp_extended.MAX_PACKET:
        yield APP1, XMP + blocks.xmp
    elif blocks.xmp and (divided := xmp_extended.divided(blocks.xmp)) is not None:
        yield APP1, XMP + divided.main
        for start in range(0, len(divided.extension), MAX_CHUNK):
            head = EXTENDED_HEAD.pack(divided.identifier, len(divided.extension), start)
            yield APP1, EXTENDED + head + divided.extension[start : start + MAX_CHUNK]
    photoshop = iptc.packed_resources(blocks.iptc, blocks.resources)
    for start in range(0, len(photoshop), MAX_SEGMENT - len(PHOTOSHOP)):
        yield APP13, PHOTOSHOP + photoshop[start : start + MAX_SEGMENT - len(PHOTOSHOP)]
    for comment in blocks.comments:
        yield COMMENT, comment[:MAX_SEGMENT]


def _segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(content) + 2).to_bytes(2) + content


def bare(data: bytes) -> bytes | None:
    """Return ``data`` with what decodes and colours its pixels: JFIF without its thumbnail, Adobe's segment, and the profile.

    Segments between scans go as well, and whatever follows the end of the image.
    """
    parts, offset = [data[:2]], 2
    while True:
        found = list(segments(data, offset))
        parts += [_needed(data, segment) for segment in found]
        marker = NEXT_MARKER.search(data, found[-1].end) if found and found[-1].code == START_OF_SCAN else None
        if marker is None:
            return None
        parts.append(data[found[-1].end : marker.start()])
        offset = marker.start()
        if data[offset + 1] == END:
            return b"".join([*parts, b"\xff\xd9"])


def _needed(data: bytes, segment: Segment) -> bytes:
    content = data[segment.content : segment.end]
    if segment.code == APP0 and content.startswith(JFIF):
        return _segment(APP0, content[: JFIF_BYTES - 2].ljust(JFIF_BYTES - 2, b"\0") + b"\0\0")
    is_needed = (segment.code == APP2 and content.startswith(PROFILE)) or (segment.code == APP14 and content.startswith(b"Adobe"))
    if segment.code in APPLICATION or segment.code == COMMENT:
        return data[segment.start : segment.end] if is_needed else b""
    return data[segment.start : segment.end]


CONTAINER = Container(
    read,
    write,
    bare,
    frozenset({"exif", "xmp", "iptc", "resources", "comments", "resolution"}),
    max_exif=MAX_SEGMENT - len(exif.PREFIX),
    max_xmp=xmp_extended.MAX_PACKET,
    is_ycbcr=True,
)
