"""Add EXIF entries to a TIFF file, which libvips does not write.

Source: TIFF 6.0, section 2; CIPA DC-008 (EXIF 2.32), sections 4.6.3 to 4.6.6.
"""

import struct
from typing import NamedTuple

PREFIX = b"Exif\0\0"
CLASSIC = b"II*\0"  # the header that libvips writes, except for a BigTIFF
ORDERS = {b"II": "<", b"MM": ">"}
EXIF_IFD, GPS_IFD = 34665, 34853
#: Tags of the main directory that describe the image, not its storage: from ImageDescription to those that Windows adds.
DESCRIPTIVE_TAGS = {270, 271, 272, 305, 306, 315, 33432, *range(40091, 40096)}
STALE_TAGS = {40962, 40963, 40965}  # width and height of the original, and the interoperability directory, which is not read
#: By type: the bytes that are swapped together for another byte order, and the bytes of one value.
SWAP_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8}
VALUE_BYTES = {**SWAP_BYTES, 5: 8, 10: 8}
INLINE_BYTES, LONG = 4, 4


class Entry(NamedTuple):
    """An entry of a directory; ``value`` is little-endian."""

    kind: int
    values: int
    value: bytes


Directory = dict[int, Entry]


def insert(data: bytes, block: bytes) -> bytes:
    """Return the TIFF file ``data`` with the entries of the EXIF ``block``; unchanged if there are none or it is a BigTIFF."""
    block = block.removeprefix(PREFIX)
    order = ORDERS.get(block[:2])
    if order is None or not data.startswith(CLASSIC):
        return data
    exif_entries = _read(block, order, _offset(block, order))
    main = {tag: entry for tag, entry in exif_entries.items() if tag in DESCRIPTIVE_TAGS} | _read(data, "<", _offset(data, "<"))
    file = bytearray(data + bytes(len(data) % 2))
    for tag in (EXIF_IFD, GPS_IFD):
        if tag in exif_entries:
            inner = _read(block, order, int.from_bytes(exif_entries[tag].value, "little"))
            offset = _append(file, {name: entry for name, entry in inner.items() if name not in STALE_TAGS})
            main[tag] = Entry(LONG, 1, offset.to_bytes(INLINE_BYTES, "little"))
    file[4:8] = _append(file, main).to_bytes(INLINE_BYTES, "little")
    return bytes(file)


def _offset(data: bytes, order: str) -> int:
    offset: int = struct.unpack_from(order + "I", data, 4)[0]
    return offset


def _read(data: bytes, order: str, start: int) -> Directory:
    """Return the directory at ``start``, without entries of unknown type or with values outside ``data``."""
    if start + 2 > len(data):
        return {}
    entries, (count,) = {}, struct.unpack_from(order + "H", data, start)
    for offset in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, offset)
        size = VALUE_BYTES.get(kind, 0) * values
        value_offset = offset + 8 if size <= INLINE_BYTES else struct.unpack_from(order + "I", data, offset + 8)[0]
        if size and value_offset + size <= len(data):
            entries[tag] = Entry(kind, values, _little(data[value_offset : value_offset + size], order, SWAP_BYTES[kind]))
    return entries


def _little(value: bytes, order: str, width: int) -> bytes:
    if order == "<" or width == 1:
        return value
    return b"".join(value[start : start + width][::-1] for start in range(0, len(value), width))


def _append(file: bytearray, directory: Directory) -> int:
    """Append ``directory`` and then its values to ``file``; return the offset of the directory."""
    start = len(file)
    rows, values = struct.pack("<H", len(directory)), b""
    values_offset = start + 2 + 12 * len(directory) + INLINE_BYTES
    for tag, (kind, count, value) in sorted(directory.items()):
        field = value.ljust(INLINE_BYTES, b"\0") if len(value) <= INLINE_BYTES else struct.pack("<I", values_offset + len(values))
        rows += struct.pack("<HHI", tag, kind, count) + field
        values += value + bytes(len(value) % 2) if len(value) > INLINE_BYTES else b""
    file += rows + bytes(INLINE_BYTES) + values
    return start
