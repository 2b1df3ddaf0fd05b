"""The size of a JPEG XL, whether it moves, and how many bits it has: what the decoder says too late, or not at all.

Source: ISO/IEC 18181-1, ``SizeHeader``, ``ImageMetadata``, ``AnimationHeader`` and ``BitDepth``; 18181-2, boxes. Bits are read from
the lowest of each byte on.
"""

from collections.abc import Callable
from typing import NamedTuple

from pixmill.imaging.input import Input
from pixmill.imaging.parsers.boxes import boxes

CODESTREAM, BOX_SIGNATURE = b"\xff\x0a", b"\0\0\0\x0cJXL "
PART_NUMBER = 4  # bytes before a part of the codestream
HEADER_BYTES = 64  # of a codestream, more than the fields that are read here
SMALL_BITS, EIGHT = 5, 8  # of a side in units of eight pixels
RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # of width to height
SIZES = ((9, 1), (13, 1), (18, 1), (30, 1))  # bits and offset, by selector
PREVIEW_SIZES = ((6, 1), (8, 65), (10, 321), (12, 1345))
PREVIEW_EIGHTHS = ((0, 16), (0, 32), (5, 1), (9, 33))


TICKS, TICK_PARTS, LOOPS = (
    ((0, 100), (0, 1000), (10, 1), (30, 1)),
    ((0, 1), (0, 1001), (8, 1), (10, 1)),
    ((0, 0), (3, 0), (16, 0), (32, 0)),
)
DEPTHS, FLOAT_DEPTHS = ((0, 8), (0, 10), (0, 12), (6, 1)), ((0, 32), (0, 16), (0, 24), (6, 1))


class Metadata(NamedTuple):
    """The size in pixels, 0 x 0 if there is none; whether there are several frames; the bits per channel."""

    width: int
    height: int
    is_animation: bool = False
    depth: int = 8


def read(source: Input) -> Metadata:
    """Return what the codestream of ``source`` says."""
    codestream = _codestream(source)
    bits = _Bits(codestream)
    size = _size(bits) if codestream else (0, 0)
    if bits.take(1):  # all as usual
        return Metadata(*size)
    moves = bool(bits.take(1)) and _moves(bits)
    if moves:
        for choices in (TICKS, TICK_PARTS, LOOPS):
            bits.choose(choices)
        bits.take(1)  # whether there are time codes
    return Metadata(*size, moves, bits.choose(FLOAT_DEPTHS if bits.take(1) else DEPTHS))


def _codestream(source: Input) -> bytes:
    """Return the beginning of the codestream after its signature, empty if it is not found."""
    data = source.mapped()
    if bytes(data[:2]) == CODESTREAM:
        return bytes(data[2:HEADER_BYTES])
    box = next((each for each in boxes(data, 0, len(data)) if each.kind in (b"jxlc", b"jxlp")), None)
    if box is None:
        return b""
    start = box.content + (PART_NUMBER if box.kind == b"jxlp" else 0) + len(CODESTREAM)
    return bytes(data[start : start + HEADER_BYTES])


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._bits & (1 << count) - 1
        self._bits >>= count
        return value

    def choose(self, choices: tuple[tuple[int, int], ...]) -> int:
        bits, offset = choices[self.take(2)]
        return self.take(bits) + offset


def _moves(bits: _Bits) -> bool:
    bits.take(3)  # orientation
    if bits.take(1):  # a size at which to show it
        _size(bits)
    if bits.take(1):
        _skip_preview(bits)
    return bool(bits.take(1))


def _size(bits: _Bits) -> tuple[int, int]:
    """Return width and height."""
    is_small = bits.take(1)
    return _sides(bits, (lambda: (bits.take(SMALL_BITS) + 1) * EIGHT) if is_small else (lambda: bits.choose(SIZES)))


def _skip_preview(bits: _Bits) -> None:
    choices = PREVIEW_EIGHTHS if bits.take(1) else PREVIEW_SIZES
    _sides(bits, lambda: bits.choose(choices))


def _sides(bits: _Bits, take_side: Callable[[], int]) -> tuple[int, int]:
    """Return width and height: both, or the height and a ratio."""
    height = take_side()
    ratio = RATIOS[bits.take(3)]
    return (height * ratio[0] // ratio[1] if ratio else take_side()), height
