"""Add the box that states the colours of an AVIF to a file that libheif wrote, which states the usual ones in its bitstream only.

The standard for interchange (MIAF) expects the box, and some readers look nowhere else. Source: ISO/IEC 14496-12, sections 8.11.3
(iloc) and 12.1.5 (colr); ISO/IEC 23008-12, section 9.3 (ipco, ipma).
"""

import struct

from pixmill.imaging.parsers.boxes import FULL_BOX_BYTES, boxes, packed
from pixmill.imaging.parsers.heif.primary import FULL_RANGE_BIT, read_primary

ILOC_HEAD = b"\0\0\0\0\x44\x40"  # of libheif: version 0; offsets, lengths and base offsets of four bytes
IPMA_HEAD = b"\0\0\0\0"  # of libheif: version 0, items of two bytes, indexes of one
MAX_INDEX = 127  # of a property


def with_nclx(data: bytes) -> bytes:
    """Return the AVIF ``data`` with its colours in an nclx box; unchanged if it has one, or is not as libheif writes it."""
    primary = read_primary(data)
    if primary.codes is None or b"nclx" in data[: data.find(b"mdat")]:
        return data
    colour = struct.pack(">4s3HB", b"nclx", *primary.codes, FULL_RANGE_BIT * primary.full_range)
    try:
        parts = [
            packed(b"meta", _with_property(data[box.content : box.end], colour))
            if box.kind == b"meta"
            else data[box.start : box.end]
            for box in boxes(data, 0, len(data))
        ]
        return b"".join(parts)
    except (struct.error, KeyError, ValueError):
        return data


def _with_property(meta: bytes, colour: bytes) -> bytes:
    """Return ``meta`` with another property of the primary image; the offsets in the file grow by as much."""
    content = {box.kind: meta[box.content : box.end] for box in boxes(meta, FULL_BOX_BYTES, len(meta))}
    tables = {box.kind: content[b"iprp"][box.content : box.end] for box in boxes(content[b"iprp"], 0, len(content[b"iprp"]))}
    index = len(list(boxes(tables[b"ipco"], 0, len(tables[b"ipco"])))) + 1
    (item,) = struct.unpack_from(">H", content[b"pitm"], FULL_BOX_BYTES)
    added = packed(b"colr", colour)
    tables[b"ipco"] += added
    tables[b"ipma"] = _associated(tables[b"ipma"], item, index)
    content[b"iprp"] = b"".join(packed(kind, box) for kind, box in tables.items())
    content[b"iloc"] = _moved(content[b"iloc"], len(added) + 1)
    return meta[:FULL_BOX_BYTES] + b"".join(packed(kind, box) for kind, box in content.items())


def _associated(ipma: bytes, item: int, index: int) -> bytes:
    """Return the box with the property ``index`` for ``item`` as well."""
    if ipma[:FULL_BOX_BYTES] != IPMA_HEAD or index > MAX_INDEX:
        raise ValueError("not as libheif writes it")
    offset = FULL_BOX_BYTES + 4
    while struct.unpack_from(">H", ipma, offset)[0] != item:
        offset += 3 + ipma[offset + 2]
    count = ipma[offset + 2]
    end = offset + 3 + count
    return ipma[: offset + 2] + bytes([count + 1]) + ipma[offset + 3 : end] + bytes([index]) + ipma[end:]


def _moved(iloc: bytes, distance: int) -> bytes:
    """Return the box with everything ``distance`` bytes further on in the file."""
    if not iloc.startswith(ILOC_HEAD):
        raise ValueError("not as libheif writes it")
    moved, offset = bytearray(iloc), len(ILOC_HEAD) + 2
    while offset < len(iloc):
        _, _, base, extents = struct.unpack_from(">2HIH", iloc, offset)
        struct.pack_into(">I", moved, offset + 4, base + distance)
        offset += 10 + 8 * extents
    return bytes(moved)
