"""Metadata in GIF: comments, and XMP in an application extension.

Source: GIF89a specification, sections 24 and 26; XMP specification, part 3, section 1.1.2.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pixmill.imaging.input import Data
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.container import Container

HEADER_BYTES, PALETTE_FLAG, VERSION = 13, 0x80, b"GIF89a"
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
COMMENT, APPLICATION = 0xFE, 0xFF
XMP_NAME = b"XMP DataXMP"
#: Ends XMP for programs that read it as a chain of blocks: wherever such a program is, it comes to the last byte, which is 0.
XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
NEEDED = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")


class Part(NamedTuple):
    """An extension or image: its label (0 for an image), and where it begins, its blocks begin, and it ends."""

    label: int
    start: int
    blocks: int
    end: int


def parts(data: Data) -> Iterator[Part]:
    """Yield the complete extensions and images, up to the trailer."""
    offset = HEADER_BYTES + _palette(data, 10)
    while offset + 2 < len(data) and data[offset] in (EXTENSION, IMAGE):
        is_image = data[offset] == IMAGE
        blocks = offset + 11 + _palette(data, offset + 9) if is_image else offset + 2
        end = _after_blocks(data, blocks)
        if end > len(data):
            return
        yield Part(0 if is_image else data[offset + 1], offset, blocks, end)
        offset = end


def _palette(data: Data, place: int) -> int:
    flags = data[place] if place < len(data) else 0
    return 3 << (flags & 7) + 1 if flags & PALETTE_FLAG else 0


def _after_blocks(data: Data, offset: int) -> int:
    while offset < len(data) and data[offset]:
        offset += 1 + data[offset]
    return offset + 1


def _joined(data: Data, offset: int) -> bytes:
    """Return the content of a chain of blocks."""
    pieces = []
    while data[offset]:
        pieces.append(data[offset + 1 : offset + 1 + data[offset]])
        offset += 1 + data[offset]
    return b"".join(pieces)


def read(data: Data) -> Blocks:
    """Return the metadata."""
    comments, packet = [], b""
    for part in parts(data):
        if part.label == COMMENT:
            comments.append(_joined(data, part.blocks))
        elif part.label == APPLICATION and data[part.blocks + 1 : part.blocks + 12] == XMP_NAME:
            packet = bytes(data[part.blocks + 12 : part.end]).removesuffix(XMP_END).removesuffix(XMP_END[:-1])
    return Blocks(xmp=packet, comments=tuple(comments))


def write(data: bytes, blocks: Blocks) -> bytes:
    """Return ``data`` with ``blocks`` before its trailer, if it has one."""
    added = b"".join(_contents(blocks))
    end = max((part.end for part in parts(data)), default=0)
    if not added or data[end : end + 1] != bytes((TRAILER,)):
        return data
    return VERSION + data[len(VERSION) : end] + added + data[end:]


def _contents(blocks: Blocks) -> Iterator[bytes]:
    if blocks.xmp:
        yield bytes((EXTENSION, APPLICATION, len(XMP_NAME))) + XMP_NAME + blocks.xmp + XMP_END
    for comment in blocks.comments:
        pieces = (comment[start : start + 255] for start in range(0, len(comment), 255))
        yield bytes((EXTENSION, COMMENT)) + b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"


def bare(data: bytes) -> bytes | None:
    """Return ``data`` without comments, and without extensions that an animation does not need."""
    found = list(parts(data))
    end = found[-1].end if found else 0
    if data[end : end + 1] != bytes((TRAILER,)):
        return None
    kept = [data[: found[0].start], *(data[part.start : part.end] for part in found if _is_needed(data, part))]
    return b"".join([*kept, bytes((TRAILER,))])


def _is_needed(data: bytes, part: Part) -> bool:
    if part.label == APPLICATION:
        return data[part.blocks + 1 : part.blocks + 12] in NEEDED
    return part.label != COMMENT


CONTAINER = Container(read, write, bare, frozenset({"xmp", "comments"}))
