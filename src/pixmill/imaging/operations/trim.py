"""``trim``: plain borders cut away."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Rectangle, Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation

SMALLEST = 3  # libvips smooths single specks away with a window of 3 x 3 pixels, where there are as many


class Trim(Operation, frozen=True, kw_only=True, tag="trim"):
    """Cut away borders of one colour, and transparent ones.

    Use it for scans and product pictures. The border's colour is that of the top left pixel unless given. A picture that is
    nothing but border stays as it is. All frames of an animation are cut alike, so that none loses a part.

    Example: ``--step trim:threshold=20``
    """

    uses_alpha = True
    sets_size = True

    threshold: Annotated[float, Meta(ge=0, le=255, description="how far a value of 0 to 255 may lie from the border's")] = 10.0
    background: Annotated[Colour | None, Meta(description="the border's colour; that of the top left pixel when left out")] = None

    @property
    def streams(self) -> bool:
        """Tell that the whole picture is looked at before its first row is known."""
        return False

    def size_after(self, size: Size) -> None:
        """Tell that only the pixels know how wide their border is."""
        del size

    def apply(self, image: Image) -> Image:
        """Return each frame without the border that all of them have."""
        held = image.evolve(pixels=image.pixels.copy_memory())
        boxes = [box for index in range(held.frames) if (box := self._content(held.frame(index)))]
        if not boxes:
            return image
        part = _around(boxes)
        return held.map(lambda pixels: pixels.crop(*part))

    def _content(self, pixels: pyvips.Image) -> Rectangle | None:
        """Return the part of a frame that is not border; ``None`` when all of it is."""
        eight_bit = Image(pixels.colourspace("srgb" if pixels.bands > 2 else "b-w"))  # noqa: PLR2004  # gray and its alpha
        corner = eight_bit.pixels(0, 0)
        border = corner
        if self.background is not None:
            eight_bit = self.background.with_bands_for(eight_bit)
            border = self.background.band_values(eight_bit)
        if not eight_bit.has_alpha:
            return self._found(eight_bit.pixels, border)
        *colour, opacity = border
        seen = self._found(eight_bit.pixels.flatten(background=colour), colour)
        covered = self._found(eight_bit.pixels.extract_band(len(colour)), [opacity])
        boxes = [box for box in (seen, covered) if box]
        return _around(boxes) if boxes else None

    def _found(self, pixels: pyvips.Image, border: list[float]) -> Rectangle | None:
        too_small = min(pixels.width, pixels.height) < SMALLEST
        box = Rectangle(*pixels.find_trim(threshold=self.threshold, background=border, line_art=too_small))
        return box if box.width and box.height else None


def _around(boxes: list[Rectangle]) -> Rectangle:
    """Return the smallest rectangle that holds all ``boxes``."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)
    return Rectangle(left, top, right - left, bottom - top)
