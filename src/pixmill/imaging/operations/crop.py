"""``crop``: cut out a rectangle."""

from typing import Annotated

from msgspec import Meta

from pixmill.core.errors import TransformError
from pixmill.imaging.geometry.ratio import Ratio
from pixmill.imaging.geometry.sizes import Distance, Rectangle, Side, Size, cropped_size, largest_of_aspect, overlap
from pixmill.imaging.geometry.smart_crop import CropGravity, crop_to
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement


class Crop(Operation, frozen=True, kw_only=True, tag="crop"):
    """Crop the image to a rectangle, given by size and position or by exact coordinates.

    Use it to remove unwanted edges, or to give images the same aspect ratio before a resize. To fill a box exactly, use
    ``resize`` with ``fit=cover``, which scales and crops in one step. A rectangle that extends beyond the image is clipped, so
    one recipe works for images of many sizes; a rectangle entirely outside fails the image. The gravities ``attention`` and
    ``entropy`` find the most interesting part.

    Example: ``--step crop:width=800,height=600,gravity=north``
    """

    sets_size = True

    width: Annotated[Side | None, Meta(description="width in pixels; default: the width of the image")] = None
    height: Annotated[Side | None, Meta(description="height in pixels; default: the height of the image")] = None
    left: Annotated[Distance | None, Meta(description="pixels to remove on the left; default: set by `gravity`")] = None
    top: Annotated[Distance | None, Meta(description="pixels to remove at the top; default: set by `gravity`")] = None
    aspect: Annotated[Ratio | None, Meta(description="crop further to this aspect ratio, such as 16:9")] = None
    gravity: Annotated[CropGravity, Meta(description="part to keep if no coordinate is given")] = CropGravity("centre")

    def __post_init__(self) -> None:
        """Reject a crop without any parameter."""
        super().__post_init__()
        if (self.width, self.height, self.left, self.top, self.aspect) == (None,) * 5:
            raise self.error("crop: expected at least one of width, height, left, top and aspect, received none")

    @property
    def streams(self) -> bool:
        """Return whether no smart crop is needed, which reads all pixels."""
        return not self._is_smart

    @property
    def placement(self) -> Placement:
        """Return that the size decides, unless the crop is smart."""
        return "other" if self._is_smart else "by-size"

    @property
    def _is_smart(self) -> bool:
        return self.gravity.is_smart and self.left is None and self.top is None

    @property
    def may_fail(self) -> bool:
        """Return whether coordinates are set, which may lie outside a small image."""
        return bool(self.left or self.top)

    def size_after(self, size: Size) -> Size:
        """Return the size of the part inside an image of ``size``."""
        part = self._part(size)
        return part.width, part.height

    def apply(self, image: Image) -> Image:
        """Return the part of each frame inside the rectangle."""
        part = self._part((image.width, image.height))
        if self._is_smart:
            return crop_to(image, (part.width, part.height), self.gravity)
        return image.map(lambda pixels: pixels.crop(*part))

    def _part(self, size: Size) -> Rectangle:
        rectangle = self.rectangle(size)
        part = overlap(size, rectangle)
        if part is None:
            raise TransformError(
                f"crop: the rectangle at {rectangle.left},{rectangle.top} is outside the image of {size[0]}x{size[1]}"
            )
        return part

    def rectangle(self, size: Size) -> Rectangle:
        """Return the rectangle to crop from an image of ``size``; it may extend beyond the right and bottom edges."""
        available = (max(1, size[0] - (self.left or 0)), max(1, size[1] - (self.top or 0)))
        part = cropped_size(available, self.width, self.height)
        if self.aspect is not None:
            part = largest_of_aspect(part, float(self.aspect))
        left, top = self.gravity.offset(size, part)
        return Rectangle(left if self.left is None else self.left, top if self.top is None else self.top, *part)
