"""``pad``: add padding around the image."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import embed
from pixmill.imaging.geometry.gravity import Gravity
from pixmill.imaging.geometry.ratio import Ratio
from pixmill.imaging.geometry.sizes import Distance, Rectangle, Side, Size, smallest_of_aspect
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation


class Pad(Operation, frozen=True, kw_only=True, tag="pad"):
    """Add padding around the image: a border, or enough to reach a size or an aspect ratio.

    Use it for frames, and to give product images the same shape without cropping them. The border is added first; then the
    canvas grows to ``width`` x ``height`` and to ``aspect``. It never shrinks. Padding is transparent by default, and takes the
    output's background if the format has no transparency.

    Example: ``--step pad:aspect=1:1,background=white``
    """

    wants_final_scale = True
    sets_size = True

    border: Annotated[Distance, Meta(description="pixels to add on every side")] = 0
    left: Annotated[Distance, Meta(description="additional pixels on the left")] = 0
    top: Annotated[Distance, Meta(description="additional pixels at the top")] = 0
    right: Annotated[Distance, Meta(description="additional pixels on the right")] = 0
    bottom: Annotated[Distance, Meta(description="additional pixels at the bottom")] = 0
    width: Annotated[Side | None, Meta(description="minimum width of the canvas in pixels")] = None
    height: Annotated[Side | None, Meta(description="minimum height of the canvas in pixels")] = None
    aspect: Annotated[Ratio | None, Meta(description="aspect ratio of the canvas, such as 1:1")] = None
    gravity: Annotated[Gravity, Meta(description="position of the image on the canvas")] = Gravity("centre")
    background: Annotated[Colour, Meta(description="colour of the padding")] = Colour(0, 0, 0, alpha=0)

    @property
    def adds_alpha(self) -> bool:
        """Return whether the padding may be transparent."""
        return not self.background.is_opaque

    def apply(self, image: Image) -> Image:
        """Return each frame on its canvas."""
        canvas, position = self.canvas((image.width, image.height))
        return embed(image, canvas, offset=(position.left, position.top), background=self.background)

    def size_after(self, size: Size) -> Size:
        """Return the size of the canvas."""
        return self.canvas(size)[0]

    def canvas(self, size: Size) -> tuple[Size, Rectangle]:
        """Return the size of the canvas for an image of ``size``, and the rectangle of the image on it."""
        framed = (size[0] + self.left + self.right + 2 * self.border, size[1] + self.top + self.bottom + 2 * self.border)
        grown = (max(framed[0], self.width or 1), max(framed[1], self.height or 1))
        if self.aspect is not None:
            grown = smallest_of_aspect(grown, float(self.aspect))
        left, top = self.gravity.offset(grown, framed)
        return grown, Rectangle(left + self.left + self.border, top + self.top + self.border, *size)
