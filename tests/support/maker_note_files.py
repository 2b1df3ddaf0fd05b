"""JPEG files with maker notes like those of two makers, packed by hand: Nikon counts offsets from the note, Sony from the file."""

import io
import struct
from collections.abc import Callable, Sequence

from PIL import Image

INLINE_BYTES = 4


Entry = tuple[int, int, int, bytes]


def directory(entries: Sequence[Entry], start: int, order: str) -> bytes:
    """Return a directory that begins at ``start``, followed by its values. ``entries``: tag, type, count, bytes."""
    rows, values = struct.pack(order + "H", len(entries)), b""
    after = start + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        rows += struct.pack(order + "HHI", tag, kind, count)
        if len(value) <= INLINE_BYTES:
            rows += value.ljust(INLINE_BYTES, b"\0")
        else:
            rows += struct.pack(order + "I", after + len(values))
            values += value + bytes(len(value) % 2)
    return rows + bytes(4) + values


def nikon(start: int, order: str) -> bytes:
    """Return the note of a Nikon, which has a header of TIFF inside; ``start`` does not matter to it."""
    del start
    lens = struct.pack(order + "8I", 24, 1, 70, 1, 28, 10, 28, 10)
    entries = [(2, 3, 2, struct.pack(order + "HH", 0, 400)), (4, 2, 8, b"FINE   \0"), (0x84, 5, 4, lens)]
    inside = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + directory(entries, 8, order)
    return b"Nikon\0\x02\x10\0\0" + inside


def sony(start: int, order: str) -> bytes:
    """Return the note of a Sony, whose values are counted from the start of the block of EXIF."""
    entries = [(0xB001, 3, 1, struct.pack(order + "H", 358)), (0xB02A, 7, 8, bytes.fromhex("0024007002800400"))]
    return b"SONY DSC \0\0\0" + directory(entries, start + 12, order)


def photograph(make: bytes, note: Callable[[int, str], bytes], order: str) -> bytes:
    """Return a JPEG with this maker and ``note``, behind a thumbnail's directory as cameras write it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    main_size, exif_at = 2 + 3 * 12 + 4, 0
    maker, artist = make + b"\0", b"Jane Doe\0"
    exif_at = 8 + main_size + len(maker) + len(maker) % 2 + len(artist) + len(artist) % 2
    note_at = exif_at + 2 + 2 * 12 + 4 + 20
    main = directory(
        [(0x010F, 2, len(maker), maker), (0x013B, 2, len(artist), artist), (0x8769, 4, 1, struct.pack(order + "I", exif_at))],
        8,
        order,
    )
    content = note(note_at, order)
    inner = directory([(0x9003, 2, 20, b"2020:01:02 03:04:05\0"), (0x927C, 7, len(content), content)], exif_at, order)
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG", exif=b"Exif\0\0" + head + main + inner)
    return file.getvalue()
