"""Where on its canvas each frame of a GIF lies: what no frame has painted is transparent, which libvips shows as black.

Source: GIF89a specification, sections 18 to 23.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pyvips

SCREEN, PALETTE = 13, 0x80
EXTENSION, CONTROL, PICTURE = 0x21, 0xF9, 0x2C
CLEARED, RESTORED = 2, 3  # disposals: to nothing, to what was there before the frame
OPAQUE = 255.0


class Frame(NamedTuple):
    """A rectangle of the canvas, and what becomes of it before the next frame."""

    left: int
    top: int
    width: int
    height: int
    disposal: int = 0


def frames(data: bytes) -> Iterator[Frame]:
    """Yield the frames of a file; ends where the file does, or where it makes no sense."""
    place, disposal = SCREEN + _palette(data[10:11]), 0
    while place + 10 <= len(data):
        if data[place] == EXTENSION:
            if data[place + 1] == CONTROL:
                disposal = data[place + 3] >> 2 & 7
            place = _after_blocks(data, place + 2)
        elif data[place] == PICTURE:
            left, top, width, height = (int.from_bytes(data[place + at : place + at + 2], "little") for at in (1, 3, 5, 7))
            yield Frame(left, top, width, height, disposal)
            place, disposal = _after_blocks(data, place + 11 + _palette(data[place + 9 : place + 10])), 0
        else:
            return


def is_bare(data: bytes, width: int, height: int) -> bool:
    """Tell whether the first frame leaves some of a canvas of this size bare."""
    first = next(frames(data), None)
    return first is not None and (first.left, first.top, first.width, first.height) != (0, 0, width, height)


def painted(data: bytes, width: int, height: int, *, count: int) -> pyvips.Image:
    """Return the opacity of the first ``count`` frames, one below the other: full where some frame has painted."""
    canvas, column = pyvips.Image.black(width, height), []
    for frame, _ in zip(frames(data), range(count), strict=False):
        shown = _filled(canvas, frame, OPAQUE)
        column.append(shown)
        canvas = {CLEARED: _filled(shown, frame, 0), RESTORED: canvas}.get(frame.disposal, shown)
    column += [canvas] * (count - len(column))
    return pyvips.Image.arrayjoin(column, across=1)


def _filled(canvas: pyvips.Image, frame: Frame, value: float) -> pyvips.Image:
    drawn: pyvips.Image = canvas.draw_rect(value, frame.left, frame.top, frame.width, frame.height, fill=True)
    return drawn


def _palette(flags: bytes) -> int:
    """Return the bytes of the palette that follows ``flags``."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & PALETTE else 0


def _after_blocks(data: bytes, place: int) -> int:
    """Return where the chain of blocks that starts at ``place`` ends."""
    while place < len(data) and data[place]:
        place += 1 + data[place]
    return place + 1
