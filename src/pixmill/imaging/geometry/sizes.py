"""How large a picture becomes, and which part of it stays: pure arithmetic on widths and heights.

A size is ``(width, height)`` in pixels. Sides round to the nearest pixel, halves up, and are never less than 1.
"""

from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

#: How a picture is made to meet a box: within it, filling it and cut, within it and padded, or distorted to it.
Fit = Literal["inside", "cover", "contain", "fill"]
Size = tuple[int, int]
#: A side of a picture or of a part of it, in pixels.
Side = Annotated[int, Meta(ge=1)]
#: A distance in pixels.
Distance = Annotated[int, Meta(ge=0)]


class Rectangle(NamedTuple):
    """A part of a picture, in pixels from its top left corner."""

    left: int
    top: int
    width: int
    height: int


def rounded(length: float) -> int:
    """Return ``length`` as a side of a picture: whole pixels, at least one."""
    return max(1, int(length + 0.5))


def scaled(size: Size, scale: float) -> Size:
    """Return ``size`` multiplied by ``scale``."""
    return rounded(size[0] * scale), rounded(size[1] * scale)


def target(size: Size, width: int | None, height: int | None, *, fit: Fit = "inside", enlarge: bool = False) -> Size:
    """Return the size to which the pixels of a picture of ``size`` are scaled to meet the box ``width`` x ``height``.

    A side that is ``None`` follows from the other by the picture's proportions, except for ``fill``, which leaves it as it is.
    Without ``enlarge`` neither side of the result is longer than it was. For ``cover`` the result is what is cut to the box
    afterwards (``kept``), for ``contain`` what is put into it.
    """
    if fit == "fill":
        wanted = (width or size[0], height or size[1])
        return wanted if enlarge else (min(wanted[0], size[0]), min(wanted[1], size[1]))
    scales = [side / length for side, length in zip((width, height), size, strict=True) if side is not None]
    if not scales:
        return size
    scale = max(scales) if fit == "cover" else min(scales)
    if scale > 1 and not enlarge:
        return size
    return scaled(size, scale)


def kept(size: Size, width: int | None, height: int | None) -> Size:
    """Return how much of a picture of ``size`` a cut to ``width`` x ``height`` leaves: never more than there is."""
    return min(size[0], width or size[0]), min(size[1], height or size[1])


def largest_of_aspect(size: Size, aspect: float) -> Size:
    """Return the largest size within ``size`` whose width is ``aspect`` times its height."""
    if size[0] > size[1] * aspect:
        return min(size[0], rounded(size[1] * aspect)), size[1]
    return size[0], min(size[1], rounded(size[0] / aspect))


def smallest_of_aspect(size: Size, aspect: float) -> Size:
    """Return the smallest size around ``size`` whose width is ``aspect`` times its height."""
    if size[0] < size[1] * aspect:
        return max(size[0], rounded(size[1] * aspect)), size[1]
    return size[0], max(size[1], rounded(size[0] / aspect))


def overlap(size: Size, wanted: Rectangle) -> Rectangle | None:
    """Return the part of ``wanted`` that lies within a picture of ``size``; ``None`` when nothing of it does."""
    left, top = max(0, wanted.left), max(0, wanted.top)
    right, bottom = min(size[0], wanted.left + wanted.width), min(size[1], wanted.top + wanted.height)
    return Rectangle(left, top, right - left, bottom - top) if left < right and top < bottom else None
