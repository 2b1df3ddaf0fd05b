"""``contrast``: values moved away from the middle, or towards it."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import linear


class Contrast(Operation, frozen=True, kw_only=True, tag="contrast"):
    """Raise or lower the contrast around middle gray.

    Each value's distance from the middle is multiplied by the factor, as the filter of the same name does in CSS. The
    middle is fixed, so that a series of pictures is treated alike.

    Example: ``--step contrast:factor=1.2``
    """

    factor: Annotated[float, Meta(ge=0, le=100, description="1 changes nothing, 0 is plain gray, 2 doubles every distance")]

    def apply(self, image: Image) -> Image:
        """Return the picture with its colours spread; alpha stays."""
        middle = image.max_value / 2
        return image.map_colour(lambda colour: linear(colour, slope=self.factor, offset=middle * (1 - self.factor)))
