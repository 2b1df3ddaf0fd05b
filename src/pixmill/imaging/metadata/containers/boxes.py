"""The boxes of the ISO base media file format, which AVIF, HEIF and JPEG XL are made of.

Source: ISO/IEC 14496-12, section 4.2.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pixmill.imaging.metadata.container import Data

HEAD_BYTES, LARGE_HEAD_BYTES, LARGE = 8, 16, 1  # as a size, LARGE means that the size follows, in 64 bits


class Box(NamedTuple):
    """A box: its type, where it begins, and where its content does and ends."""

    kind: bytes
    start: int
    content: int
    end: int


def boxes(data: Data, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets, up to the first that is damaged."""
    while start + HEAD_BYTES <= end:
        size, head = int.from_bytes(data[start : start + 4]), HEAD_BYTES
        if size == LARGE:
            size, head = int.from_bytes(data[start + HEAD_BYTES : start + LARGE_HEAD_BYTES]), LARGE_HEAD_BYTES
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield Box(bytes(data[start + 4 : start + 8]), start, start + head, start + size)
        start += size


def packed(kind: bytes, content: bytes) -> bytes:
    """Return a box."""
    return (HEAD_BYTES + len(content)).to_bytes(4) + kind + content
