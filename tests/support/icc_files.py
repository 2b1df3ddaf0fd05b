"""ICC profiles packed by hand, apart from the code under test: a matrix and a table, of the same wide colour space."""

import struct
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

#: Linear light of Display P3 to CIE XYZ of D50, as in Apple's profile.
P3_TO_D50 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
D50 = np.array([0.9642, 1.0, 0.8249])
GAMMA = 2.2
GRID = 17


def _fixed(*values: float) -> bytes:
    """Return numbers as s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return a display profile of version 2.1 (ICC.1:1998-09)."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*D50),
        **tags,
    }
    offset, table, contents = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">2I", offset + len(contents), len(content))
        contents += content.ljust(-(-len(content) // 4) * 4, b"\0")
    header = struct.pack(
        ">I4sI4s4s4s12s4s", offset + len(contents), bytes(4), 0x02100000, b"mntr", space, connection, bytes(12), b"acsp"
    )
    header = header.ljust(68, b"\0") + _fixed(*D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + contents


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def matrix_profile() -> bytes:
    """Return a profile of three primaries and a curve."""
    columns = {name: b"XYZ \0\0\0\0" + _fixed(*P3_TO_D50[:, index]) for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    return _profile(b"RGB ", b"XYZ ", {**columns, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(GAMMA))})


def gray_profile(gamma: float) -> bytes:
    """Return a profile of gray values."""
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma)})


def table_profile() -> bytes:
    """Return a profile with a table from values to L*a*b* (lut16Type), as scanners and printers have."""
    steps = np.linspace(0, 1, GRID)
    values = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)  # the last channel varies fastest
    ratio = (values**GAMMA @ P3_TO_D50.T) / D50
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    lightness, green_red = 116 * root[..., 1] - 16, 500 * (root[..., 0] - root[..., 1])
    blue_yellow = 200 * (root[..., 1] - root[..., 2])
    encoded = np.stack([lightness * 652.8, (green_red + 128) * 256, (blue_yellow + 128) * 256], axis=-1).round()
    straight = struct.pack(">2H", 0, 65535) * 3
    table = struct.pack(">4s4x4B", b"mft2", 3, 3, GRID, 0) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += struct.pack(">2H", 2, 2) + straight + encoded.clip(0, 65535).astype(">u2").tobytes() + straight
    return _profile(b"RGB ", b"Lab ", {b"A2B0": table})
