"""``brightness``: multiply every value."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement
from pixmill.imaging.pixels import linear


class Brightness(Operation, frozen=True, kw_only=True, tag="brightness"):
    """Make the image lighter or darker.

    Each value is multiplied by the factor, like the CSS filter of the same name; values above white are clipped. To lighten only
    the midtones, use ``gamma``.

    Example: ``--step brightness:factor=1.1``
    """

    factor: Annotated[float, Meta(ge=0, le=100, description="1 changes nothing, 0 is black, 2 is twice as bright")]

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image with its colours multiplied; alpha is unchanged."""
        return image.map_colour(lambda colour: linear(colour, slope=self.factor, offset=0))
