"""The index of a JPEG file that holds several images.

Source: CIPA DC-007 (Multi-Picture Format), sections 5.2.2 and 5.2.3.
"""

import struct
from collections.abc import Iterator, Sequence

from pixmill.imaging.input import Data
from pixmill.imaging.metadata import directory
from pixmill.imaging.metadata.containers.jpeg import MULTI_PICTURE, Segment

VERSION, COUNT, ENTRIES = 0xB000, 0xB001, 0xB002
LONG, UNDEFINED = 4, 7  # types of values
ENTRY = struct.Struct(">IIIHH")  # attributes, size, offset, and two numbers of images that depend on it
PRIMARY = 0x030000  # the attributes of the image to show; 0 says nothing
HEADER, FIRST = b"MM\0*", 8
FIELDS = 3
ENTRIES_OFFSET = FIRST + 2 + FIELDS * 12 + 4
SEGMENT_HEAD = 4  # bytes of the marker and the size


def images(data: Data, segment: Segment) -> Iterator[tuple[int, int]]:
    """Yield where each image after the first begins and ends in the file ``data``, by its index in ``segment``."""
    base = segment.content + len(MULTI_PICTURE)
    block = bytes(data[base : segment.end])
    order = directory.byte_order(block)
    tree = directory.read(block, order, directory.first_offset(block, order)) if order else None
    entries = next((entry.value for entry in tree.entries if entry.tag == ENTRIES), b"") if tree else b""
    layout = struct.Struct(order + ENTRY.format[1:])
    for start in range(ENTRY.size, len(entries) - ENTRY.size + 1, ENTRY.size):
        _, size, offset, _, _ = layout.unpack_from(entries, start)
        if offset and base + offset + size <= len(data):
            yield base + offset, base + offset + size


def index(position: int, sizes: Sequence[int]) -> bytes:
    """Return the content of the segment at ``position`` for images of these ``sizes`` in bytes, one behind the other."""
    base = position + SEGMENT_HEAD + len(MULTI_PICTURE)
    entries, offset = [], 0
    for number, size in enumerate(sizes):
        entries.append(ENTRY.pack(0 if number else PRIMARY, size, offset - base if number else 0, 0, 0))
        offset += size
    fields = (
        struct.pack(">HHI4s", VERSION, UNDEFINED, 4, b"0100"),
        struct.pack(">HHII", COUNT, LONG, 1, len(sizes)),
        struct.pack(">HHII", ENTRIES, UNDEFINED, ENTRY.size * len(sizes), ENTRIES_OFFSET),
    )
    head = HEADER + struct.pack(">IH", FIRST, len(fields))
    return MULTI_PICTURE + b"".join([head, *fields, bytes(4), *entries])


INDEX_BYTES = len(MULTI_PICTURE) + ENTRIES_OFFSET + 2 * ENTRY.size  # for two images
