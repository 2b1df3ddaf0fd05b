"""``brightness``: every value multiplied."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import linear


class Brightness(Operation, frozen=True, kw_only=True, tag="brightness"):
    """Make the whole picture lighter or darker.

    Each value is multiplied by the factor, as the filter of the same name does in CSS; what passes white becomes white. To
    lighten the midtones alone, use ``gamma``.

    Example: ``--step brightness:factor=1.1``
    """

    factor: Annotated[float, Meta(ge=0, le=100, description="1 changes nothing, 0 is black, 2 is twice as bright")]

    def apply(self, image: Image) -> Image:
        """Return the picture with its colours multiplied; alpha stays."""
        return image.map_colour(lambda colour: linear(colour, slope=self.factor, offset=0))
