"""``border``: draw a border around the image."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import embed
from pixmill.imaging.geometry.sizes import Side, Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation


class Border(Operation, frozen=True, kw_only=True, tag="border"):
    """Draw a border of one colour around the image, which grows by it.

    Use it after the resize: the image keeps the size that other options give it, and the border is added. For different sides, or a
    canvas of one shape, use ``pad``.

    Example: ``--step border:width=12,color=white``
    """

    wants_final_scale = True

    width: Annotated[Side, Meta(description="pixels of the border on every side")]
    color: Annotated[Colour, Meta(description="colour of the border")] = Colour(0, 0, 0)

    @property
    def adds_alpha(self) -> bool:
        """Return whether the border may be transparent."""
        return not self.color.is_opaque

    def apply(self, image: Image) -> Image:
        """Return each frame with its border."""
        return embed(image, self.size_after((image.width, image.height)), offset=(self.width, self.width), background=self.color)

    def size_after(self, size: Size) -> Size:
        """Return the size with the border."""
        return size[0] + 2 * self.width, size[1] + 2 * self.width
