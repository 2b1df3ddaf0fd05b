"""Decode the pixels of a BMP of any kind with numpy; Pillow and libvips read the usual ones only.

Every array is as large as the image that ``Header`` declares, which the limits have passed. Pixels that a run-length coded file
leaves out are black, as in Chromium. Source: Microsoft, "Bitmap Compression"; IBM, BITMAPINFOHEADER2 for 24 bits.
"""

from typing import TYPE_CHECKING, Any

from pixmill.imaging.image import Image
from pixmill.imaging.parsers.bmp import RLE4, RLE24, Bitmap

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BAND_ROWS = 64  # that are unpacked at once
MAX_BYTE, BYTE_BITS = 255, 8
RED, GREEN, BLUE, ALPHA = range(4)
END_OF_ROW, END, JUMP = 0, 1, 2  # the codes that follow a zero
PAIRS = tuple(bytes((byte >> 4, byte & 15)) for byte in range(256))
MAX_RUNS = 4096  # that are joined before they are set


def decode(data: bytes, bitmap: Bitmap, *, lenient: bool) -> Image:
    """Return the pixels of the file ``data``. Raise ``EOFError`` if some are missing and that is not tolerated.

    An alpha that is zero everywhere was not meant, and is left out.
    """
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    if bitmap.is_run_length_coded:
        return Image.from_numpy(_run_length_coded(data, bitmap, lenient=lenient))
    rows = data[bitmap.offset : bitmap.offset + bitmap.row_bytes * bitmap.height]
    if len(rows) < bitmap.row_bytes * (bitmap.height - 1) + (bitmap.width * bitmap.bits + 7) // 8 and not lenient:
        raise EOFError("its pixels are incomplete")
    stored = np.frombuffer(rows.ljust(bitmap.row_bytes * bitmap.height, b"\0"), np.uint8).reshape(bitmap.height, -1)
    bands = 1 if bitmap.is_gray else 4 if bitmap.masks and bitmap.masks[ALPHA] else 3
    pixels = np.empty((bitmap.height, bitmap.width, bands), np.uint8)
    upright = pixels if bitmap.is_top_down else pixels[::-1]
    for start in range(0, bitmap.height, BAND_ROWS):
        upright[start : start + BAND_ROWS] = _unpacked(stored[start : start + BAND_ROWS], bitmap)
    if bands > ALPHA and not pixels[..., ALPHA].any():
        pixels = pixels[..., :ALPHA]
    return Image.from_numpy(np.ascontiguousarray(pixels))


def _unpacked(rows: "Array", bitmap: Bitmap) -> "Array":
    """Return the pixels (height, width, bands) of some stored rows."""
    import numpy as np  # noqa: PLC0415  # as above

    if bitmap.palette:
        if bitmap.bits == 1:
            indexes: Array = np.unpackbits(rows, axis=1)
        else:
            shifts = np.arange(BYTE_BITS - bitmap.bits, -1, -bitmap.bits, dtype=np.uint8)
            indexes = (rows[..., None] >> shifts & (1 << bitmap.bits) - 1).reshape(len(rows), -1)
        colours: Array = np.take(_colours(bitmap), indexes[:, : bitmap.width], axis=0)
        return colours
    if not bitmap.masks:
        plain: Array = rows[:, : bitmap.width * 3].reshape(len(rows), bitmap.width, 3)[..., ::-1]
        return plain
    values = rows.view(f"<u{bitmap.bits // BYTE_BITS}")[:, : bitmap.width]
    channels = [_channel(values, mask) for mask in bitmap.masks[: 4 if bitmap.masks[ALPHA] else 3]]
    return np.stack(channels, axis=-1)


def _channel(values: "Array", mask: int) -> "Array":
    """Return the bits of ``values`` below ``mask`` as bytes: the upper eight, or fewer spread from 0 to 255."""
    import numpy as np  # noqa: PLC0415  # as above

    if not mask:
        return np.zeros(values.shape, np.uint8)
    lowest = (mask & -mask).bit_length() - 1
    width = (mask >> lowest).bit_length()
    shifted = (values & values.dtype.type(mask)) >> values.dtype.type(lowest)
    if width > BYTE_BITS:
        shifted = shifted >> values.dtype.type(width - BYTE_BITS)
        width = BYTE_BITS
    most = (1 << width) - 1
    spread = (np.arange(most + 1) * (MAX_BYTE / most) + 0.5).astype(np.uint8)
    channel: Array = spread[shifted]
    return channel


def _colours(bitmap: Bitmap) -> "Array":
    """Return the palette (colours, bands), with one band if it is gray."""
    import numpy as np  # noqa: PLC0415  # as above

    palette = np.frombuffer(bitmap.palette, np.uint8).reshape(-1, 3)
    return palette[:, :1] if bitmap.is_gray else palette


def _run_length_coded(data: bytes, bitmap: Bitmap, *, lenient: bool) -> "Array":
    """Return the pixels (height, width, bands); those that are left out are black."""
    import numpy as np  # noqa: PLC0415  # as above

    canvas = _Canvas(bitmap)
    is_ended = canvas.paint(data[bitmap.offset :])
    if not (is_ended or lenient):
        raise EOFError("its pixels are incomplete")
    shape = (bitmap.height, bitmap.width)
    stored = np.frombuffer(canvas.pixels, np.uint8).reshape(*shape, -1)
    pixels = stored[..., ::-1] if bitmap.compression == RLE24 else _colours(bitmap)[stored[..., 0]]
    pixels = pixels * np.frombuffer(canvas.painted, np.uint8).reshape(*shape, 1)
    return np.ascontiguousarray(pixels if bitmap.is_top_down else pixels[::-1])


class _Canvas:
    """The pixels as bytes, ``size`` each, in the order of the file; ``painted`` has a one for each that was set."""

    def __init__(self, bitmap: Bitmap) -> None:
        self._width, self._height = bitmap.width, bitmap.height
        self._size = 3 if bitmap.compression == RLE24 else 1
        self._is_packed = bitmap.compression == RLE4
        self.pixels = bytearray(bitmap.width * bitmap.height * self._size)
        self.painted = bytearray(bitmap.width * bitmap.height)

    def paint(self, codes: bytes) -> bool:
        """Paint what ``codes`` say; return whether they go on to the end of the picture.

        Runs are joined before they are set, because a slice costs ten times as much as a run.
        """
        codes += bytes(2)  # for a jump that is cut off
        at = x = y = 0
        runs: list[bytes] = []
        while at + 3 < len(codes) and y < self._height:
            count, value = codes[at], codes[at + 1]
            if count:
                runs.append(
                    (PAIRS[value] * (count // 2 + 1))[:count] if self._is_packed else codes[at + 1 : at + 1 + self._size] * count
                )
                at += 1 + self._size
            elif value > JUMP:
                length = (value + 1) // 2 if self._is_packed else value * self._size
                literal = codes[at + 2 : at + 2 + length]
                runs.append(b"".join(PAIRS[byte] for byte in literal)[:value] if self._is_packed else literal)
                at += 2 + length + length % 2
            else:
                x, runs = self._set(x, y, b"".join(runs)), []
                if value == END:
                    return True
                right, down = (-x, 1) if value == END_OF_ROW else codes[at + 2 : at + 4]
                x, y, at = x + right, y + down, at + (2 if value == END_OF_ROW else 4)
            if len(runs) >= MAX_RUNS:
                x, runs = self._set(x, y, b"".join(runs)), []
        x = self._set(x, y, b"".join(runs)) if runs and y < self._height else x
        return y >= self._height or (y == self._height - 1 and x >= self._width)

    def _set(self, x: int, y: int, run: bytes) -> int:
        """Set the pixels of ``run`` from ``x`` on, as far as they lie in the row; return where it ends."""
        start, size = y * self._width + x, self._size
        end = x + len(run) // size
        count = min(end, self._width) - x
        if count > 0:
            self.pixels[start * size : (start + count) * size] = run[: count * size]
            self.painted[start : start + count] = b"\1" * count
        return end
