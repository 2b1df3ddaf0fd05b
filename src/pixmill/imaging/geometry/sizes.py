"""Compute target sizes and crop sizes: pure arithmetic on widths and heights.

A size is ``(width, height)`` in pixels. Sides round to the nearest pixel, halves up, and are never less than 1.
"""

import math
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

#: How an image fits a box: inside it, covering it and cropped, inside it and padded, stretched to fill it, or around it.
Fit = Literal["inside", "cover", "contain", "fill", "outside"]
#: What other tools call these, and words that need more than a fit; see ``core.validation``.
FIT_WORDS: dict[str, dict[str, str]] = {
    "synonyms": {
        "max": "inside", "scale-down": "inside", "limit": "inside", "crop": "cover", "pad": "contain",
        "stretch": "fill", "distort": "fill", "exact": "fill", "min": "outside", "around": "outside",
    },
    "answers": {
        "square": "for squares use --size 400x400 --fit cover",
        "width": "use --size 800x, and no --fit",
        "height": "use --size x600, and no --fit",
    },
}  # fmt: skip
Size = tuple[int, int]
#: A side of an image or of a part of it, in pixels.
Side = Annotated[int, Meta(ge=1)]
#: A distance in pixels.
Distance = Annotated[int, Meta(ge=0)]


class Rectangle(NamedTuple):
    """A part of an image, in pixels from its top left corner."""

    left: int
    top: int
    width: int
    height: int


def rounded(length: float) -> int:
    """Return ``length`` as a side of an image: whole pixels, at least one."""
    return max(1, int(length + 0.5))


def scaled(size: Size, scale: float) -> Size:
    """Return ``size`` multiplied by ``scale``."""
    return rounded(size[0] * scale), rounded(size[1] * scale)


def target(size: Size, width: int | None, height: int | None, *, fit: Fit = "inside", enlarge: bool = False) -> Size:
    """Return the size to which an image of ``size`` is scaled to fit the box ``width`` x ``height``.

    A side that is ``None`` follows from the other and the aspect ratio, except for ``fill``, which leaves it unchanged. Without
    ``enlarge``, neither side of the result is longer than before. For ``cover`` the result is the size before cropping to the
    box (``cropped_size``), for ``contain`` the size before padding; for ``outside`` no side is shorter than that of the box.
    """
    if fit == "fill":
        wanted = (width or size[0], height or size[1])
        return wanted if enlarge else (min(wanted[0], size[0]), min(wanted[1], size[1]))
    scales = [side / length for side, length in zip((width, height), size, strict=True) if side is not None]
    if not scales:
        return size
    scale = max(scales) if fit in ("cover", "outside") else min(scales)
    if scale > 1 and not enlarge:
        return size
    return scaled(size, scale)


def of_area(size: Size, area: int, *, enlarge: bool = False) -> Size:
    """Return the size with the aspect ratio of ``size`` and at most about ``area`` pixels; not larger unless ``enlarge``."""
    scale = math.sqrt(area / (size[0] * size[1]))
    return size if scale > 1 and not enlarge else scaled(size, scale)


def cropped_size(size: Size, width: int | None, height: int | None) -> Size:
    """Return the size after cropping an image of ``size`` to ``width`` x ``height``, never larger than before."""
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
    """Return the part of ``wanted`` inside an image of ``size``; ``None`` if they do not overlap."""
    left, top = max(0, wanted.left), max(0, wanted.top)
    right, bottom = min(size[0], wanted.left + wanted.width), min(size[1], wanted.top + wanted.height)
    return Rectangle(left, top, right - left, bottom - top) if left < right and top < bottom else None
