"""Metadata in WebP: the chunks ``EXIF`` and ``XMP ``, which need the extended header.

Source: RFC 9649, sections 2.7 and 3.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import exif
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.container import Container

HEADER_BYTES, HEAD_BYTES = 12, 8
EXTENDED, LOSSY, LOSSLESS = b"VP8X", b"VP8 ", b"VP8L"
EXIF_FLAG, XMP_FLAG, ALPHA_FLAG = 0x08, 0x04, 0x10
EXTENDED_BYTES = 10
NEEDED = frozenset({EXTENDED, LOSSY, LOSSLESS, b"ALPH", b"ANIM", b"ANMF", b"ICCP"})


class Chunk(NamedTuple):
    """A chunk: its name, and where its content begins and ends."""

    name: bytes
    content: int
    end: int


def chunks(data: Data) -> Iterator[Chunk]:
    """Yield the complete chunks of the file."""
    offset, limit = HEADER_BYTES, min(len(data), HEAD_BYTES + int.from_bytes(data[4:8], "little"))
    while offset + HEAD_BYTES <= limit:
        size = int.from_bytes(data[offset + 4 : offset + 8], "little")
        if offset + HEAD_BYTES + size > limit:
            return
        yield Chunk(bytes(data[offset : offset + 4]), offset + HEAD_BYTES, offset + HEAD_BYTES + size)
        offset += HEAD_BYTES + size + size % 2


def read(data: Data) -> Blocks:
    """Return the metadata."""
    found: dict[bytes, bytes] = {}
    for chunk in chunks(data):
        if chunk.name in (b"EXIF", b"XMP "):
            found.setdefault(chunk.name, bytes(data[chunk.content : chunk.end]))
    block = exif.bare(found.get(b"EXIF", b""))
    return Blocks(exif=block, xmp=found.get(b"XMP ", b""), resolution=exif.resolution(block))


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with ``blocks`` behind its pixels."""
    if not blocks.exif and not blocks.xmp:
        return data
    found = list(chunks(data))
    flags = (EXIF_FLAG if blocks.exif else 0) | (XMP_FLAG if blocks.xmp else 0)
    first = found[0]
    extended = bytearray(data[first.content : first.end] if first.name == EXTENDED else _extended(data, first))
    extended[0] |= flags
    others = [packed(each.name, data[each.content : each.end]) for each in found if each.name != EXTENDED]
    added = [packed(name, content) for name, content in ((b"EXIF", blocks.exif), (b"XMP ", blocks.xmp)) if content]
    return _file([packed(EXTENDED, bytes(extended)), *others, *added])


def _extended(data: bytes, chunk: Chunk) -> bytes:
    """Return the content of the extended header for a file that has none: its size, and whether it has alpha."""
    content = data[chunk.content : chunk.end]
    if chunk.name == LOSSLESS:
        bits = int.from_bytes(content[1:5], "little")
        width, height, alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bits >> 28 & 1
    else:
        width, height = (int.from_bytes(content[place : place + 2], "little") & 0x3FFF for place in (6, 8))
        alpha = 0
    return bytes((ALPHA_FLAG * alpha, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def packed(name: bytes, content: bytes) -> bytes:
    """Return a chunk."""
    return name + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)


def _file(parts: list[bytes]) -> bytes:
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def bare(data: bytes) -> bytes | None:
    """Return ``data`` without metadata and unknown chunks."""
    parts: list[bytes] = []
    for chunk in chunks(data):
        content = data[chunk.content : chunk.end]
        if chunk.name == EXTENDED:
            if parts or len(content) < EXTENDED_BYTES:
                return None
            content = bytes((content[0] & ~(EXIF_FLAG | XMP_FLAG),)) + content[1:]
        if chunk.name in NEEDED:
            parts.append(packed(chunk.name, content))
    return _file(parts) if parts else None


CONTAINER = Container(read, write, bare, frozenset({"exif", "xmp"}))
