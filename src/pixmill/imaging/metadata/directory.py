"""Read and write the directories of TIFF and EXIF without touching their values.

Source: TIFF 6.0, section 2; CIPA DC-008 (EXIF 3.0), section 4.6.2.
"""

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from mmap import mmap
from typing import NamedTuple

Data = bytes | bytearray | mmap
ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
BIG_ORDERS = {b"II+\0": "<", b"MM\0+": ">"}
HEADER_BYTES, ENTRY_BYTES, INLINE_BYTES = 8, 12, 4
BIG_HEADER_BYTES, BIG_ENTRY_BYTES = 16, 20
#: By type: the bytes that are swapped together for another byte order, and the bytes of one value.
SWAP_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4, 129: 1}
VALUE_BYTES = {**SWAP_BYTES, 5: 8, 10: 8}
BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, DIRECTORY, LONG8, DIRECTORY8 = 1, 2, 3, 4, 5, 7, 13, 16, 18
MAX_ENTRIES = 1000  # of one directory; the largest in use have about 200


class Entry(NamedTuple):
    """One entry as stored: ``value`` in the byte order of its file, at ``offset``, which is in the entry if it is short."""

    tag: int
    kind: int
    values: int
    value: bytes
    offset: int = 0

    @property
    def is_inline(self) -> bool:
        """Return whether the entry itself holds the value."""
        return len(self.value) <= INLINE_BYTES

    def number(self, order: str) -> int:
        """Return the first number of an entry of whole numbers, 0 for one of another type."""
        code = {BYTE: "B", SHORT: "H", LONG: "I", DIRECTORY: "I", LONG8: "Q", DIRECTORY8: "Q"}.get(self.kind)
        return int(struct.unpack_from(order + code, self.value)[0]) if code and self.value else 0


class Directory(NamedTuple):
    """A directory at ``offset``: its readable entries, the number of all of them, and the offset of the next directory."""

    offset: int
    entries: tuple[Entry, ...]
    slots: int
    next: int

    @property
    def size(self) -> int:
        """Return the bytes of the directory without values."""
        return 2 + ENTRY_BYTES * self.slots + INLINE_BYTES


def byte_order(data: Data) -> str:
    """Return ``<`` or ``>``, or nothing if ``data`` does not begin like a TIFF or a BigTIFF."""
    head = bytes(data[:4])
    return ORDERS.get(head) or BIG_ORDERS.get(head, "")


def is_big(data: Data) -> bool:
    """Return whether ``data`` is a BigTIFF, whose offsets have 64 bits."""
    return bytes(data[:4]) in BIG_ORDERS


def first_offset(data: Data, order: str) -> int:
    """Return the offset of the first directory; 0 if there is none."""
    if is_big(data):
        return int(struct.unpack_from(order + "Q", data, 8)[0]) if len(data) >= BIG_HEADER_BYTES else 0
    return int(struct.unpack_from(order + "I", data, 4)[0]) if len(data) >= HEADER_BYTES else 0


def read(data: Data, order: str, offset: int) -> Directory | None:
    """Return the directory at ``offset``, without entries of unknown type or with values outside ``data``.

    ``None`` if none is there.
    """
    if is_big(data):
        return _read_big(data, order, offset)
    if offset < HEADER_BYTES or offset + 2 > len(data):
        return None
    (count,) = struct.unpack_from(order + "H", data, offset)
    slots = min(count, MAX_ENTRIES, (len(data) - offset - 2) // ENTRY_BYTES)
    entries = tuple(_entries(data, order, offset + 2, slots))
    after = offset + 2 + ENTRY_BYTES * slots
    following = struct.unpack_from(order + "I", data, after)[0] if after + INLINE_BYTES <= len(data) else 0
    return Directory(offset, entries, slots, following)


def _entries(data: Data, order: str, start: int, slots: int) -> Iterator[Entry]:
    seen, left = set(), len(data)  # entries that share their values must not unfold to more than there is
    for place in range(start, start + ENTRY_BYTES * slots, ENTRY_BYTES):
        tag, kind, count = struct.unpack_from(order + "HHI", data, place)
        size = VALUE_BYTES.get(kind, 0) * count
        offset = place + 8 if size <= INLINE_BYTES else struct.unpack_from(order + "I", data, place + 8)[0]
        if 0 < size <= left and offset + size <= len(data) and tag not in seen:
            seen.add(tag)
            left -= size
            yield Entry(tag, kind, count, bytes(data[offset : offset + size]), offset)


def _read_big(data: Data, order: str, offset: int) -> Directory | None:
    if offset < BIG_HEADER_BYTES or offset + 8 > len(data):
        return None
    (count,) = struct.unpack_from(order + "Q", data, offset)
    slots = min(count, MAX_ENTRIES, (len(data) - offset - 8) // BIG_ENTRY_BYTES)
    return Directory(offset, tuple(_big_entries(data, order, offset + 8, slots)), slots, 0)


def _big_entries(data: Data, order: str, start: int, slots: int) -> Iterator[Entry]:
    sizes, left = {**VALUE_BYTES, LONG8: 8, DIRECTORY8: 8}, len(data)
    for place in range(start, start + BIG_ENTRY_BYTES * slots, BIG_ENTRY_BYTES):
        tag, kind, count = struct.unpack_from(order + "HHQ", data, place)
        size = sizes.get(kind, 0) * count
        offset = place + 12 if size <= 8 else struct.unpack_from(order + "Q", data, place + 12)[0]  # noqa: PLR2004  # inline
        if 0 < size <= left and offset + size <= len(data):
            left -= size
            yield Entry(tag, kind, count, bytes(data[offset : offset + size]), offset)


def packed(entry: Entry, order: str, offset: int) -> bytes:
    """Return the twelve bytes of ``entry`` whose value, if it is not short, is at ``offset``."""
    value = entry.value.ljust(INLINE_BYTES, b"\0") if entry.is_inline else struct.pack(order + "I", offset)
    return struct.pack(order + "HHI", entry.tag, entry.kind, entry.values) + value


def size_of(entries: Sequence[Entry], fixed: Collection[int] = ()) -> int:
    """Return the bytes of a directory of ``entries`` with its values, except those of the tags in ``fixed``."""
    values = (len(entry.value) + len(entry.value) % 2 for entry in entries if not entry.is_inline and entry.tag not in fixed)
    return 2 + ENTRY_BYTES * len(entries) + INLINE_BYTES + sum(values)


def serialised(entries: Sequence[Entry], order: str, start: int, fixed: Mapping[int, int] = {}) -> bytes:
    """Return a directory of ``entries``, then their values, for the offset ``start``.

    ``fixed``: by tag, the offset of a value that is in the file already.
    """
    rows, values = [struct.pack(order + "H", len(entries))], []
    offset = start + 2 + ENTRY_BYTES * len(entries) + INLINE_BYTES
    for entry in sorted(entries, key=lambda entry: entry.tag):
        if entry.tag in fixed:
            rows.append(packed(entry, order, fixed[entry.tag]))
            continue
        rows.append(packed(entry, order, offset))
        if not entry.is_inline:
            values.append(entry.value + bytes(len(entry.value) % 2))
            offset += len(values[-1])
    return b"".join([*rows, bytes(INLINE_BYTES), *values])


def in_order(entry: Entry, source: str, target: str) -> Entry:
    """Return ``entry`` with its value in the byte order ``target``."""
    width = SWAP_BYTES[entry.kind]
    if source == target or width == 1:
        return entry
    value = entry.value
    swapped = b"".join(value[start : start + width][::-1] for start in range(0, len(value), width))
    return entry._replace(value=swapped)


def number(tag: int, value: int, order: str, kind: int = LONG) -> Entry:
    """Return an entry that holds one whole number."""
    return Entry(tag, kind, 1, struct.pack(order + ("H" if kind == SHORT else "I"), value))
