"""``crop``: a rectangle of the picture."""

from typing import Annotated

from msgspec import Meta

from pixmill.core.errors import TransformError
from pixmill.imaging.geometry.ratio import Ratio
from pixmill.imaging.geometry.sizes import Distance, Rectangle, Side, Size, kept, largest_of_aspect, overlap
from pixmill.imaging.geometry.smart_crop import CropGravity, crop_to
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation


class Crop(Operation, frozen=True, kw_only=True, tag="crop"):
    """Cut out a rectangle: a size held at a place, or exact coordinates.

    Use it to cut away what is never wanted, or to bring pictures to common proportions before a resize; to fill a box
    exactly, ``resize`` with ``fit=cover`` does both at once. A rectangle that reaches beyond the picture is cut at its
    edge, so that one recipe serves pictures of many sizes; one that lies wholly outside fails the image. The gravities
    ``attention`` and ``entropy`` look for the part that is worth keeping.

    Example: ``--step crop:width=800,height=600,gravity=north``
    """

    sets_size = True

    width: Annotated[Side | None, Meta(description="width in pixels; the picture's own when left out")] = None
    height: Annotated[Side | None, Meta(description="height in pixels; the picture's own when left out")] = None
    left: Annotated[Distance | None, Meta(description="pixels to leave out on the left; `gravity` decides when left out")] = None
    top: Annotated[Distance | None, Meta(description="pixels to leave out at the top; `gravity` decides when left out")] = None
    aspect: Annotated[Ratio | None, Meta(description="cut the rectangle further to these proportions, such as 16:9")] = None
    gravity: Annotated[CropGravity, Meta(description="which part to keep where no coordinate says so")] = CropGravity("centre")

    def __post_init__(self) -> None:
        """Refuse a crop that says nothing."""
        super().__post_init__()
        if (self.width, self.height, self.left, self.top, self.aspect) == (None,) * 5:
            raise self.error("crop: expected a width, a height, a left, a top or an aspect, received none")

    @property
    def streams(self) -> bool:
        """Tell that the part to keep may have to be searched for."""
        return not self._searches

    @property
    def _searches(self) -> bool:
        return self.gravity.is_smart and self.left is None and self.top is None

    @property
    def may_fail(self) -> bool:
        """Tell that a place in pixels may lie outside of a small picture."""
        return bool(self.left or self.top)

    def size_after(self, size: Size) -> Size:
        """Return the size of the part that lies within a picture of ``size``."""
        part = self._part(size)
        return part.width, part.height

    def apply(self, image: Image) -> Image:
        """Return the part of each frame that lies within the rectangle."""
        part = self._part((image.width, image.height))
        if self._searches:
            return crop_to(image, (part.width, part.height), self.gravity)
        return image.map(lambda pixels: pixels.crop(*part))

    def _part(self, size: Size) -> Rectangle:
        wanted = self.rectangle(size)
        part = overlap(size, wanted)
        if part is None:
            raise TransformError(
                f"crop: the rectangle at {wanted.left},{wanted.top} lies outside of the picture of {size[0]}x{size[1]}"
            )
        return part

    def rectangle(self, size: Size) -> Rectangle:
        """Return the rectangle to cut from a picture of ``size``; it may reach beyond the right and bottom edges."""
        room = (max(1, size[0] - (self.left or 0)), max(1, size[1] - (self.top or 0)))
        part = kept(room, self.width, self.height)
        if self.aspect is not None:
            part = largest_of_aspect(part, float(self.aspect))
        left, top = self.gravity.place(size, part)
        return Rectangle(left if self.left is None else self.left, top if self.top is None else self.top, *part)
