"""``pad``: the picture on a larger canvas."""

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
    """Add room around the picture: a border, or as much as a size or proportions need.

    Use it for frames, and to bring product pictures to one shape without cutting them. First the border is added, then the
    canvas grows to ``width`` x ``height`` and to ``aspect``; it never shrinks. The room is transparent unless said
    otherwise, and so of the output's background where the format has no transparency.

    Example: ``--step pad:aspect=1:1,background=white``
    """

    wants_final_scale = True
    sets_size = True

    border: Annotated[Distance, Meta(description="pixels to add on every side")] = 0
    left: Annotated[Distance, Meta(description="further pixels to add on the left")] = 0
    top: Annotated[Distance, Meta(description="further pixels to add at the top")] = 0
    right: Annotated[Distance, Meta(description="further pixels to add on the right")] = 0
    bottom: Annotated[Distance, Meta(description="further pixels to add at the bottom")] = 0
    width: Annotated[Side | None, Meta(description="least width of the canvas in pixels")] = None
    height: Annotated[Side | None, Meta(description="least height of the canvas in pixels")] = None
    aspect: Annotated[Ratio | None, Meta(description="proportions of the canvas, such as 1:1")] = None
    gravity: Annotated[Gravity, Meta(description="where the picture lies when the canvas grows")] = Gravity("centre")
    background: Annotated[Colour, Meta(description="colour of the room")] = Colour(0, 0, 0, alpha=0)

    @property
    def adds_alpha(self) -> bool:
        """Tell that the room may be transparent."""
        return not self.background.is_opaque

    def apply(self, image: Image) -> Image:
        """Return each frame on its canvas."""
        canvas, place = self.canvas((image.width, image.height))
        return embed(image, canvas, at=(place.left, place.top), background=self.background)

    def size_after(self, size: Size) -> Size:
        """Return the size of the canvas."""
        return self.canvas(size)[0]

    def canvas(self, size: Size) -> tuple[Size, Rectangle]:
        """Return the size of the canvas for a picture of ``size``, and where on it the picture lies."""
        framed = (size[0] + self.left + self.right + 2 * self.border, size[1] + self.top + self.bottom + 2 * self.border)
        grown = (max(framed[0], self.width or 1), max(framed[1], self.height or 1))
        if self.aspect is not None:
            grown = smallest_of_aspect(grown, float(self.aspect))
        left, top = self.gravity.place(grown, framed)
        return grown, Rectangle(left + self.left + self.border, top + self.top + self.border, *size)
