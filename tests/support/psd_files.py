"""A writer of PSD and PSB, for the flattened image only, by Adobe's specification."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

Plane = np.ndarray[Any, Any]


def psd(  # noqa: PLR0913  # what a header states
    planes: Sequence[Plane],
    *,
    mode: int,
    depth: int = 8,
    packed: bool = False,
    large: bool = False,
    palette: bytes = b"",
    resources: Sequence[tuple[int, bytes]] = (),
    has_opacity: bool = False,
) -> bytes:
    """Return a document with ``planes``, arrays (height, width) of ``uint8``, ``uint16`` or bits, one per channel."""
    height, width = planes[0].shape
    wide = "Q" if large else "I"
    head = struct.pack(">4sH6xH2I2H", b"8BPS", 2 if large else 1, len(planes), height, width, depth, mode)
    blocks = b"".join(
        b"8BIM" + struct.pack(">H2xI", number, len(value)) + value + bytes(len(value) % 2) for number, value in resources
    )
    layers = struct.pack(f">{wide}h", 2, -1) if has_opacity else b""
    sections = struct.pack(">I", len(palette)) + palette + struct.pack(">I", len(blocks)) + blocks
    sections += struct.pack(f">{wide}", len(layers)) + layers
    rows = [_row_bytes(row, depth) for plane in planes for row in plane]
    if not packed:
        return head + sections + b"\0\0" + b"".join(rows)
    runs = [_pack_bits(row) for row in rows]
    sizes = struct.pack(f">{len(runs)}{'I' if large else 'H'}", *map(len, runs))
    return head + sections + b"\0\x01" + sizes + b"".join(runs)


def _row_bytes(row: Plane, depth: int) -> bytes:
    if depth == 1:
        return Image.fromarray(row[None].astype(bool)).tobytes()
    return row.astype(">u2").tobytes() if depth > 8 else row.astype("u1").tobytes()


def _pack_bits(data: bytes) -> bytes:
    """Return ``data`` in runs: of one byte where it is repeated, else literal."""
    out, place = b"", 0
    while place < len(data):
        end = place + 1
        while end < len(data) and data[end] == data[place] and end - place < 128:
            end += 1
        if end - place > 1:
            out += bytes([257 - (end - place), data[place]])
        else:
            while end < len(data) and end - place < 128 and data[end] != data[end - 1]:
                end += 1
            out += bytes([end - place - 1]) + data[place:end]
        place = end
    return out
