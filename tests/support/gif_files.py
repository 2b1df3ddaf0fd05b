"""GIF files with any canvas, frames and disposals, which no encoder at hand would write. Source: GIF89a specification."""

import struct
from collections.abc import Iterable

CLEAR_EVERY = 100  # codes, so that their size stays nine bits
CODE_BITS, CLEAR, END = 9, 256, 257


def gif_file(width: int, height: int, frames: Iterable[bytes]) -> bytes:
    """Return a file with this canvas and ``frames``; colour ``n`` of the palette is (n, 255 - n, 7 n modulo 256)."""
    palette = b"".join(bytes([number, 255 - number, number * 7 % 256]) for number in range(256))
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette + loop + b"".join(frames) + b";"


def gif_frame(left: int, top: int, width: int, height: int, colour: int, *, disposal: int = 0) -> bytes:
    """Return a frame of one ``colour``, shown for a tenth of a second."""
    control = b"\x21\xf9\x04" + bytes([disposal << 2]) + struct.pack("<H", 10) + b"\0\0"
    return control + b"\x2c" + struct.pack("<HHHHB", left, top, width, height, 0) + _compressed(bytes([colour]) * (width * height))


def _compressed(pixels: bytes) -> bytes:
    codes = []
    for index, pixel in enumerate(pixels):
        codes += [CLEAR, pixel] if index % CLEAR_EVERY == 0 else [pixel]
    codes.append(END)
    packed = bytearray()
    for start in range(0, len(codes), 8):  # eight codes fill nine bytes
        group = sum(code << CODE_BITS * index for index, code in enumerate(codes[start : start + 8]))
        packed += group.to_bytes(CODE_BITS, "little")
    blocks = (bytes(packed[start : start + 255]) for start in range(0, len(packed), 255))
    return b"\x08" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
