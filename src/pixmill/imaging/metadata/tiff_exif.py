"""Give a TIFF file the EXIF entries that libvips does not write into one.

Source: TIFF 6.0, section 2; CIPA DC-008 (EXIF 2.32), sections 4.6.3 to 4.6.6.
"""

import struct
from typing import NamedTuple

PREFIX = b"Exif\0\0"
CLASSIC = b"II*\0"  # what libvips writes, unless the file is a BigTIFF
ORDERS = {b"II": "<", b"MM": ">"}
DETAILS, PLACE = 34665, 34853
#: The entries of the main directory that tell of a picture, not of how it is stored: from its description to what Windows adds.
TELLING = {270, 271, 272, 305, 306, 315, 33432, *range(40091, 40096)}
STALE = {40962, 40963, 40965}  # width and height of another picture, and a directory that nobody reads
#: The bytes that turn round together in another byte order, and those of one value, by type.
TURNED = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8}
SIZES = {**TURNED, 5: 8, 10: 8}
INLINE, LONG = 4, 4


class Entry(NamedTuple):
    """An entry of a directory; ``value`` is little-endian."""

    kind: int
    values: int
    value: bytes


Directory = dict[int, Entry]


def insert(data: bytes, block: bytes) -> bytes:
    """Return the TIFF file ``data`` with the entries of the EXIF ``block``; as it is where there are none, or it is a BigTIFF."""
    block = block.removeprefix(PREFIX)
    order = ORDERS.get(block[:2])
    if order is None or not data.startswith(CLASSIC):
        return data
    told = _read(block, order, _offset(block, order))
    main = {tag: entry for tag, entry in told.items() if tag in TELLING} | _read(data, "<", _offset(data, "<"))
    file = bytearray(data + bytes(len(data) % 2))
    for tag in (DETAILS, PLACE):
        if tag in told:
            inner = _read(block, order, int.from_bytes(told[tag].value, "little"))
            place = _append(file, {name: entry for name, entry in inner.items() if name not in STALE})
            main[tag] = Entry(LONG, 1, place.to_bytes(INLINE, "little"))
    file[4:8] = _append(file, main).to_bytes(INLINE, "little")
    return bytes(file)


def _offset(data: bytes, order: str) -> int:
    offset: int = struct.unpack_from(order + "I", data, 4)[0]
    return offset


def _read(data: bytes, order: str, start: int) -> Directory:
    """Return the directory at ``start``, without entries that are of no known type or lie outside."""
    if start + 2 > len(data):
        return {}
    found, (count,) = {}, struct.unpack_from(order + "H", data, start)
    for place in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, place)
        size = SIZES.get(kind, 0) * values
        at = place + 8 if size <= INLINE else struct.unpack_from(order + "I", data, place + 8)[0]
        if size and at + size <= len(data):
            found[tag] = Entry(kind, values, _little(data[at : at + size], order, TURNED[kind]))
    return found


def _little(value: bytes, order: str, width: int) -> bytes:
    if order == "<" or width == 1:
        return value
    return b"".join(value[at : at + width][::-1] for at in range(0, len(value), width))


def _append(file: bytearray, directory: Directory) -> int:
    """Put ``directory`` at the end of ``file``, its values behind it; return where it begins."""
    start = len(file)
    rows, values = struct.pack("<H", len(directory)), b""
    behind = start + 2 + 12 * len(directory) + INLINE
    for tag, (kind, count, value) in sorted(directory.items()):
        kept = value.ljust(INLINE, b"\0") if len(value) <= INLINE else struct.pack("<I", behind + len(values))
        rows += struct.pack("<HHI", tag, kind, count) + kept
        values += value + bytes(len(value) % 2) if len(value) > INLINE else b""
    file += rows + bytes(INLINE) + values
    return start
