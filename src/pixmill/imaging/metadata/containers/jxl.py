"""Metadata in JPEG XL: the boxes ``Exif`` and ``xml ``.

Source: ISO/IEC 18181-2, sections 9.3 to 9.6.
"""

from collections.abc import Mapping

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import exif
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.container import Container
from pixmill.imaging.parsers.boxes import boxes, packed

CODESTREAM = b"\xff\x0a"
SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
COMPRESSED, GAIN_MAP = b"brob", b"jhgm"
FIRST = (b"JXL ", b"ftyp", b"jxll")  # boxes that come before all others
PLAIN = {*FIRST, b"jxlc", b"jxlp", b"jxli"}


def read(data: Data) -> Blocks:
    """Return the metadata; compressed boxes make it incomplete."""
    found: dict[bytes, bytes] = {}
    kinds = set()
    for box in boxes(data, 0, len(data)) if data[:12] == SIGNATURE else ():
        kinds.add(box.kind)
        if box.kind in (b"Exif", b"xml "):
            found.setdefault(box.kind, bytes(data[box.content : box.end]))
    block = found.get(b"Exif", b"")
    block = exif.behind_offset(block)
    return Blocks(
        exif=block, xmp=found.get(b"xml ", b""), resolution=exif.resolution(block), is_incomplete=has_compressed(data),
        has_gain_map=GAIN_MAP in kinds,
    )  # fmt: skip


def has_compressed(data: Data, *, without: Mapping[bytes, bytes] = {}) -> bool:
    """Return whether there is metadata in compressed boxes, except those kinds of which ``without`` has something."""
    found = boxes(data, 0, len(data)) if data[:12] == SIGNATURE else ()
    kinds = {bytes(data[box.content : box.content + 4]) for box in found if box.kind == COMPRESSED}
    return any(kind in kinds and not without.get(kind) for kind in (b"Exif", b"xml "))


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with ``blocks`` before its pixels."""
    added = [packed(b"Exif", bytes(4) + blocks.exif)] if blocks.exif else []
    added += [packed(b"xml ", blocks.xmp)] if blocks.xmp else []
    if not added:
        return data
    if data.startswith(CODESTREAM):
        return b"".join([SIGNATURE, FILE_TYPE, *added, packed(b"jxlc", data)])
    place = max((box.end for box in boxes(data, 0, len(data)) if box.kind in FIRST), default=0)
    return b"".join([data[:place], *added, data[place:]])


def bare(data: bytes) -> bytes | None:
    """Return ``data`` if it holds nothing but pixels; ``None`` otherwise."""
    if data.startswith(CODESTREAM):
        return data
    found = list(boxes(data, 0, len(data)))
    is_complete = bool(found) and found[-1].end == len(data)
    return data if is_complete and {box.kind for box in found} <= PLAIN else None


CONTAINER = Container(read, write, bare, frozenset({"exif", "xmp"}))
