"""``contrast``: move values away from middle gray, or towards it."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement
from pixmill.imaging.pixels import linear


class Contrast(Operation, frozen=True, kw_only=True, tag="contrast"):
    """Raise or lower the contrast around middle gray.

    Each value's distance from middle gray is multiplied by the factor, like the CSS filter of the same name. The midpoint is
    fixed, so all images of a series are treated alike.

    Example: ``--step contrast:factor=1.2``
    """

    factor: Annotated[float, Meta(ge=0, le=100, description="1 changes nothing, 0 is solid gray, 2 doubles the contrast")]

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image with its contrast changed; alpha is unchanged."""
        middle = image.max_value / 2
        return image.map_colour(lambda colour: linear(colour, slope=self.factor, offset=middle * (1 - self.factor)))
