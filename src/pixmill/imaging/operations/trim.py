"""``trim``: remove plain borders."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Rectangle, Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation

MIN_SMOOTHED_SIDE = 3  # libvips removes single specks with a median filter of 3 x 3 pixels, which a smaller image cannot have


class Trim(Operation, frozen=True, kw_only=True, tag="trim"):
    """Remove borders of a single colour, and transparent borders.

    Use it for scans and product images. The border colour is that of the top left pixel by default. An image that consists only
    of border is unchanged. All frames of an animation are cropped to the same rectangle, so that none loses content.

    Example: ``--step trim:threshold=20``
    """

    uses_alpha = True
    sets_size = True

    threshold: Annotated[
        float, Meta(ge=0, le=255, description="tolerance: the largest difference (0 to 255) from the border colour")
    ] = 10.0
    background: Annotated[Colour | None, Meta(description="border colour; default: the colour of the top left pixel")] = None

    @property
    def streams(self) -> bool:
        """Return ``False``, because all pixels are examined before the first output row is known."""
        return False

    def size_after(self, size: Size) -> None:
        """Return ``None``: the size depends on the pixels."""
        del size

    def apply(self, image: Image) -> Image:
        """Return each frame without the border that all frames share."""
        in_memory = image.evolve(pixels=image.pixels.copy_memory())
        boxes = [box for index in range(in_memory.frames) if (box := self._content(in_memory.frame(index)))]
        if not boxes:
            return image
        part = _around(boxes)
        return in_memory.map(lambda pixels: pixels.crop(*part))

    def _content(self, pixels: pyvips.Image) -> Rectangle | None:
        """Return the part of a frame that is not border; ``None`` if it is all border."""
        eight_bit = Image(pixels.colourspace("srgb" if pixels.bands > 2 else "b-w"))  # noqa: PLR2004  # gray and its alpha
        corner = eight_bit.pixels(0, 0)
        border = corner
        if self.background is not None:
            eight_bit = self.background.with_bands_for(eight_bit)
            border = self.background.band_values(eight_bit)
        if not eight_bit.has_alpha:
            return self._bounding_box(eight_bit.pixels, border)
        *colour, opacity = border
        colour_box = self._bounding_box(eight_bit.pixels.flatten(background=colour), colour)
        alpha_box = self._bounding_box(eight_bit.pixels.extract_band(len(colour)), [opacity])
        boxes = [box for box in (colour_box, alpha_box) if box]
        return _around(boxes) if boxes else None

    def _bounding_box(self, pixels: pyvips.Image, border: list[float]) -> Rectangle | None:
        too_small = min(pixels.width, pixels.height) < MIN_SMOOTHED_SIDE
        box = Rectangle(*pixels.find_trim(threshold=self.threshold, background=border, line_art=too_small))
        return box if box.width and box.height else None


def _around(boxes: list[Rectangle]) -> Rectangle:
    """Return the smallest rectangle that contains all ``boxes``."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)
    return Rectangle(left, top, right - left, bottom - top)
