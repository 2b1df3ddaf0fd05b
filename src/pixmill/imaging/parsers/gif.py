"""Find the rectangle of each GIF frame. Unpainted parts of the canvas are transparent, but libvips makes them black.

Source: GIF89a specification, sections 18 to 23.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pyvips

HEADER_BYTES, PALETTE_FLAG = 13, 0x80
EXTENSION, GRAPHIC_CONTROL, IMAGE_DESCRIPTOR, TRAILER = 0x21, 0xF9, 0x2C, 0x3B
BETWEEN_FRAMES = (0, EXTENSION, IMAGE_DESCRIPTOR)  # an additional end of the blocks does no harm
RESTORE_TO_BACKGROUND, RESTORE_TO_PREVIOUS = 2, 3  # disposal methods: to transparent, to the canvas before the frame
OPAQUE = 255.0


class GifFrame(NamedTuple):
    """A frame's rectangle on the canvas, and how it is disposed of before the next frame."""

    left: int
    top: int
    width: int
    height: int
    disposal: int = 0


def frames(data: bytes) -> Iterator[GifFrame]:
    """Yield the frames of a file; stops at the end of the file or at invalid data."""
    offset, disposal = HEADER_BYTES + _palette_bytes(data[10:11]), 0
    while offset + 10 <= len(data):
        if data[offset] == EXTENSION:
            if data[offset + 1] == GRAPHIC_CONTROL:
                disposal = data[offset + 3] >> 2 & 7
            offset = _after_blocks(data, offset + 2)
        elif data[offset] == IMAGE_DESCRIPTOR:
            left, top, width, height = (int.from_bytes(data[offset + at : offset + at + 2], "little") for at in (1, 3, 5, 7))
            yield GifFrame(left, top, width, height, disposal)
            offset, disposal = _after_blocks(data, offset + 11 + _palette_bytes(data[offset + 9 : offset + 10])), 0
        else:
            return


def rewritten(data: bytes) -> bytes:
    """Return the file ``data`` with its complete blocks alone: without zeros between them, and what follows the last of them.

    Return ``b""`` if it has no frame, or ends within a block.
    """
    offset = HEADER_BYTES + _palette_bytes(data[10:11])
    parts, is_shown = [data[:offset]], False
    while offset < len(data) and data[offset] in BETWEEN_FRAMES:
        kind, start = data[offset], offset
        if kind == EXTENSION:
            offset = _after_blocks(data, start + 2)
        elif kind == IMAGE_DESCRIPTOR:
            offset = _after_blocks(data, start + 11 + _palette_bytes(data[start + 9 : start + 10]))
            is_shown = True
        else:
            offset += 1
        if offset > len(data):
            return b""
        parts.append(data[start:offset] if kind else b"")
    return b"".join((*parts, bytes([TRAILER]))) if is_shown else b""


def canvas_size(head: bytes) -> tuple[int, int]:
    """Return the size of the canvas that the first bytes of a file declare."""
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def shows_background(data: bytes, width: int, height: int) -> bool:
    """Return whether part of a canvas of this size is bare, since the first frame does not paint it or a frame is taken back."""
    every = list(frames(data))
    if not every:
        return False
    first = every[0]
    is_covered = (first.left, first.top, first.width, first.height) == (0, 0, width, height)
    return not is_covered or any(frame.disposal == RESTORE_TO_BACKGROUND for frame in every[:-1])


def painted_opacity(data: bytes, width: int, height: int, *, count: int) -> pyvips.Image:
    """Return the alpha of the first ``count`` frames, stacked vertically: opaque where a frame has painted."""
    canvas, column = pyvips.Image.black(width, height), []
    for frame, _ in zip(frames(data), range(count), strict=False):
        painted_canvas = _filled(canvas, frame, OPAQUE)
        column.append(painted_canvas)
        canvas = {RESTORE_TO_BACKGROUND: _filled(painted_canvas, frame, 0), RESTORE_TO_PREVIOUS: canvas}.get(
            frame.disposal, painted_canvas
        )
    column += [canvas] * (count - len(column))
    return pyvips.Image.arrayjoin(column, across=1)


def _filled(canvas: pyvips.Image, frame: GifFrame, value: float) -> pyvips.Image:
    filled: pyvips.Image = canvas.draw_rect(value, frame.left, frame.top, frame.width, frame.height, fill=True)
    return filled


def _palette_bytes(flags: bytes) -> int:
    """Return the size of the palette that follows ``flags``, in bytes."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & PALETTE_FLAG else 0


def _after_blocks(data: bytes, offset: int) -> int:
    """Return the end of the chain of blocks that starts at ``offset``."""
    while offset < len(data) and data[offset]:
        offset += 1 + data[offset]
    return offset + 1
