"""Write BMP files of every kind, in the manner of the public BMP Suite: headers, palettes, bit fields and run-length coding."""

import struct
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Masks = Sequence[int]

CORE, INFO, V2, V3, OS2, V4, V5 = 12, 40, 52, 56, 64, 108, 124
WIDTH, HEIGHT = 61, 37
PLAIN, RLE8, RLE4, FIELDS, ALPHA_FIELDS, RLE24_OS2 = 0, 1, 2, 3, 6, 4


def scene(width: int = WIDTH, height: int = HEIGHT) -> Array:
    """Return a picture (height, width, 3) with smooth colours and flat areas, different in each corner."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    picture = np.stack([x, y, 255 - x], axis=-1)
    picture[5:12, 8:30] = (250, 30, 60)
    picture[height - 9 :, : width // 3] = (0, 0, 0)
    return np.asarray(picture, np.uint8)


def palette(count: int, *, gray: bool = False) -> Array:
    """Return ``count`` colours (count, 3)."""
    ramp = np.arange(count) * 255 // max(1, count - 1)
    colours: Array = np.stack([ramp, ramp if gray else 255 - ramp, ramp if gray else (ramp * 3) % 256], axis=-1).astype(np.uint8)
    return colours


def indexes(count: int, width: int = WIDTH, height: int = HEIGHT) -> Array:
    """Return indexes (height, width) below ``count``, with long and short runs."""
    picture = scene(width, height).astype(int)
    values: Array = ((picture[..., 0] // 24 + picture[..., 1] // 40) % count).astype(np.uint8)
    return values


def packed(values: Array, bits: int) -> list[bytes]:
    """Return the rows of pixel values of ``bits`` each, padded, from the top down."""
    rows = []
    for row in values:
        if bits >= 16:
            data = row.astype(f"<u{bits // 8}" if bits != 24 else "<u4")
            data = data.tobytes() if bits != 24 else data.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
        else:
            digits = "".join(f"{int(value):0{bits}b}" for value in row)
            digits += "0" * (-len(digits) % 8)
            data = bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8))
        rows.append(data + bytes(-len(data) % 4))
    return rows


def with_masks(picture: Array, masks: Masks) -> Array:
    """Return the values of pixels (height, width, 3 or 4) under ``masks``."""
    values = np.zeros(picture.shape[:2], np.uint64)
    for channel, mask in zip(np.moveaxis(picture, -1, 0), masks, strict=False):
        if mask:
            lowest = (mask & -mask).bit_length() - 1
            values |= np.uint64(1) * np.round(channel / 255 * (mask >> lowest)).astype(np.uint64) << np.uint64(lowest)
    return values


def bmp(  # noqa: PLR0913  # the fields of the headers
    rows: Sequence[bytes] | bytes,
    bits: int,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    header: int = INFO,
    compression: int = PLAIN,
    masks: Masks = (),
    colours: Array | None = None,
    count: int | None = None,
    top_down: bool = False,
    gap: bytes = b"",
    offset: int | None = None,
) -> bytes:
    """Return a BMP; ``rows`` from the top down are stored as the header says, bytes as they are.

    ``count`` is the number of colours that the header states, if not that of the palette ``colours``; ``gap`` precedes the pixels;
    ``offset`` is the stated place of the pixels, if not the actual one.
    """
    pixels = rows if isinstance(rows, bytes) else b"".join(rows if top_down else reversed(rows))
    entry = b"" if header == CORE else b"\0"
    table = b"" if colours is None else b"".join(bytes(colour[::-1]) + entry for colour in colours)
    width, height = size
    stated = (0 if colours is None else len(colours)) if count is None else count
    if header == CORE:
        info = struct.pack("<I4H", header, width, height, 1, bits)
    else:
        height = -height if top_down else height
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(pixels), 2835, 2835, stated, 0)
    fields = b"".join(struct.pack("<I", mask) for mask in masks)
    if header in (V2, V3, V4, V5):
        info = (info + fields).ljust(header, b"\0")
        info = info[:56] + b"BGRs" + info[60:] if header >= V4 else info
    else:
        info = info[:header].ljust(header, b"\0") + fields
    place = 14 + len(info) + len(table) + len(gap)
    data = struct.pack("<2sIHHI", b"BM", place + len(pixels), 0, 0, place if offset is None else offset)
    return data + info + table + gap + pixels


def run_length_coded(values: Array, bits: int, *, skip: Array | None = None, literals: bool = True) -> bytes:
    """Return the indexes (height, width) in RLE8 or RLE4, or colours (height, width, 3) in RLE24.

    Pixels where ``skip`` is true are left out: by jumps within the rows, and by the end of a row behind them.
    """
    code = b""
    jump_rows = 0
    for number in reversed(range(len(values))):
        row, is_left_out = values[number], np.zeros(values.shape[1], bool) if skip is None else skip[number]
        if is_left_out.all():
            jump_rows += 1
            continue
        if jump_rows:
            code += bytes([0, 2, 0, jump_rows])
            jump_rows = 0
        pieces = groupby(range(len(row)), key=is_left_out.tolist().__getitem__)
        for at, (left_out, group) in enumerate(pieces):
            columns = list(group)
            if left_out:
                code += b"" if columns[-1] == len(row) - 1 else bytes([0, 2, len(columns), 0])
            else:
                code += _coded(row[columns[0] : columns[-1] + 1], bits, literals=literals and at % 2 == 0)
        code += b"\0\0"
    return code + b"\0\1"


def _coded(row: Array, bits: int, *, literals: bool) -> bytes:
    code, at = b"", 0
    pixels = [tuple(np.atleast_1d(value).tolist()) for value in row]
    while at < len(pixels):
        length = next((n for n in range(1, min(256, len(pixels) - at + 1)) if pixels[at : at + n] != [pixels[at]] * n), 0)
        length = length - 1 if length else min(255, len(pixels) - at)
        if length < 3 and literals and len(pixels) - at >= 5:
            chunk = pixels[at : at + 5]
            data = _stored(chunk, bits)
            code += bytes([0, len(chunk)]) + data + bytes(len(data) % 2)
            at += len(chunk)
            continue
        code += bytes([length]) + _stored([pixels[at]] * (2 if bits == 4 else 1), bits)
        at += length
    return code


def _stored(pixels: Sequence[tuple[int, ...]], bits: int) -> bytes:
    if bits == 4:
        values = [value for (value,) in pixels] + [0] * (len(pixels) % 2)
        return bytes(high << 4 | low for high, low in zip(values[::2], values[1::2], strict=True))
    return b"".join(bytes(reversed(pixel)) for pixel in pixels)


def suite() -> Mapping[str, bytes]:
    """Return files in the manner of the BMP Suite by name: kinds that browsers show."""
    picture = scene()
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    faded = np.dstack([picture, np.linspace(40, 255, picture.size // 3).reshape(picture.shape[:2]).astype(np.uint8)])
    rgb24 = packed(with_masks(picture, (0xFF0000, 0xFF00, 0xFF)), 24)
    files = {"rgb24": bmp(rgb24, 24), "rgb24-top-down": bmp(rgb24, 24, top_down=True), "rgb24-core": bmp(rgb24, 24, header=CORE)}
    files["rgb24-palette"] = bmp(rgb24, 24, colours=palette(200))
    files["rgb24-v5"] = bmp(rgb24, 24, header=V5)
    files["rgb24-os2"] = bmp(rgb24, 24, header=OS2)
    files["rgb24-rle24"] = bmp(run_length_coded(picture, 24), 24, header=OS2, compression=RLE24_OS2)
    for bits in (1, 2, 4, 8):
        count = 1 << bits
        values, table = indexes(count), palette(count)
        rows = packed(values, bits)
        name = f"pal{bits}"
        files[name] = bmp(rows, bits, colours=table)
        files[f"{name}-count-absent"] = bmp(rows, bits, colours=table, count=0)
        files[f"{name}-gray"] = bmp(rows, bits, colours=palette(count, gray=True))
        files[f"{name}-core"] = bmp(rows, bits, header=CORE, colours=table)
        files[f"{name}-os2"] = bmp(rows, bits, header=OS2, colours=table)
        files[f"{name}-os2-short"] = bmp(rows, bits, header=16, colours=table)
        files[f"{name}-v4"] = bmp(rows, bits, header=V4, colours=table)
        files[f"{name}-top-down"] = bmp(rows, bits, colours=table, top_down=True)
        files[f"{name}-short-palette"] = bmp(packed(values % max(1, count - 1), bits), bits, colours=table[: max(1, count - 1)])
        files[f"{name}-large-palette"] = bmp(rows, bits, colours=np.concatenate([table, palette(44)]))
        files[f"{name}-gap"] = bmp(rows, bits, colours=table, gap=b"between" * 14)
        if bits in (4, 8):
            compression = RLE8 if bits == 8 else RLE4
            hole = np.zeros(values.shape, bool)
            hole[3:9, 10:20] = hole[20:24] = hole[30:, 50:] = True
            for kind, code in {
                "rle": run_length_coded(values, bits),
                "rle-runs": run_length_coded(values, bits, literals=False),
                "rle-jumps": run_length_coded(values, bits, skip=hole),
            }.items():
                files[f"{name}-{kind}"] = bmp(code, bits, compression=compression, colours=table)
    layouts: dict[str, tuple[int, tuple[int, ...]]] = {
        "555": (16, (0x7C00, 0x03E0, 0x001F)), "565": (16, (0xF800, 0x07E0, 0x001F)), "231": (16, (0x30, 0x0E, 0x01)),
        "3103": (16, (0xE000, 0x1FF8, 0x0007)), "444": (16, (0x0F00, 0x00F0, 0x000F)),
        "888": (32, (0xFF0000, 0xFF00, 0xFF)), "xbgr": (32, (0xFF, 0xFF00, 0xFF0000)),
        "111110": (32, (0xFFE00000, 0x1FFC00, 0x3FF)),
        "7187": (32, (0xFE000000, 0x01FFFF80, 0x7F)), "101010": (32, (0x3FF00000, 0x000FFC00, 0x3FF)),
    }  # fmt: skip
    for name, (bits, masks) in layouts.items():
        rows = packed(with_masks(picture, masks), bits)
        for header in (INFO, V2, V4, V5):
            files[f"rgb{bits}-{name}-{header}"] = bmp(rows, bits, header=header, compression=FIELDS, masks=masks)
        files[f"rgb{bits}-{name}-top-down"] = bmp(rows, bits, compression=FIELDS, masks=masks, top_down=True)
    files["rgb16"] = bmp(packed(with_masks(picture, layouts["555"][1]), 16), 16)
    files["rgb32"] = bmp(packed(with_masks(opaque, (*layouts["888"][1], 0)), 32), 32)
    files["rgb32-fake-alpha"] = bmp(packed(with_masks(faded, (*layouts["888"][1], 0xFF000000)), 32), 32)
    alphas: dict[str, tuple[int, tuple[int, ...]]] = {
        "4444": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)), "5551": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
        "1924": (16, (0x8000, 0x7FC0, 0x0030, 0x000F)), "8888": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
        "1010102": (32, (0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000)), "81284": (32, (0xFF000000, 0xFFF000, 0xFF0, 0xF)),
        "61754": (32, (0xFC000000, 0x3FFFE00, 0x1F0, 0xF)),
    }  # fmt: skip
    for name, (bits, masks) in alphas.items():
        rows = packed(with_masks(faded, masks), bits)
        for header in (V3, V4, V5):
            files[f"rgba{bits}-{name}-{header}"] = bmp(rows, bits, header=header, compression=FIELDS, masks=masks)
    files["rgba32-alpha-fields"] = bmp(
        packed(with_masks(faded, alphas["8888"][1]), 32), 32, compression=ALPHA_FIELDS, masks=alphas["8888"][1]
    )
    plain = files["rgb24"]
    files["array"] = b"BA" + struct.pack("<IIHH", 14 + len(plain), 0, 0, 0) + plain[:10] + struct.pack("<I", 54 + 14) + plain[14:]
    return files
