"""The boxes of the ISO base media file format, which AVIF, HEIF and JPEG XL are made of.

Source: ISO/IEC 14496-12, section 4.2.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pixmill.imaging.input import Data

HEAD_BYTES, LARGE_HEAD_BYTES, LARGE = 8, 16, 1  # as a size, LARGE means that the size follows, in 64 bits
MAX_BOXES = 100_000  # in one box, far more than a photograph has
FULL_BOX_BYTES = 4  # version and flags, before the content of some boxes


class Box(NamedTuple):
    """A box: its type, where it begins, and where its content does and ends."""

    kind: bytes
    start: int
    content: int
    end: int


def boxes(data: Data, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets, up to the first that is damaged."""
    for _ in range(MAX_BOXES):
        if start + HEAD_BYTES > end:
            return
        size, head = _size(data, start)
        size = size or end - start
        if size < head or start + size > end:
            return
        yield Box(bytes(data[start + 4 : start + 8]), start, start + head, start + size)
        start += size


def _size(data: Data, start: int) -> tuple[int, int]:
    """Return the size of the box at ``start``, 0 if it extends to the end, and that of its head."""
    size = int.from_bytes(data[start : start + 4])
    if size != LARGE:
        return size, HEAD_BYTES
    return int.from_bytes(data[start + HEAD_BYTES : start + LARGE_HEAD_BYTES]), LARGE_HEAD_BYTES


def within(data: Data, box: Box, *path: bytes) -> Iterator[Box]:
    """Yield the boxes in ``box`` that a ``path`` of types, from the outermost, leads to."""
    kind, *deeper = path
    for each in boxes(data, box.content, box.end):
        if each.kind == kind:
            yield from within(data, each, *deeper) if deeper else (each,)


def whole(data: Data) -> Box:
    """Return the file as the box that all others are in."""
    return Box(b"", 0, 0, len(data))


def is_cut_off(data: Data) -> bool:
    """Return whether the last of the outermost boxes extends beyond the end of the file."""
    end = max((box.end for box in boxes(data, 0, len(data))), default=0)
    # Less than its head is a box of another kind or damage, which the decoder reports.
    return end + HEAD_BYTES <= len(data) and end + _size(data, end)[0] > len(data)


def packed(kind: bytes, content: bytes) -> bytes:
    """Return a box."""
    return (HEAD_BYTES + len(content)).to_bytes(4) + kind + content
