"""``saturation``: make colours more or less intense."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue: ITU-R BT.709, as in CSS Filter Effects, section "saturate"
RGB_BANDS = 3


class Saturation(Operation, frozen=True, kw_only=True, tag="saturation"):
    """Make colours more or less intense.

    Each colour's distance from the gray of the same luminance is multiplied by the factor, like the CSS filter ``saturate``. A
    gray image is unchanged. To convert an image to gray, use ``grayscale``, which also makes smaller files.

    Example: ``--step saturation:factor=1.3``
    """

    factor: Annotated[float, Meta(ge=0, le=100, description="1 changes nothing, 0 removes all colour, 2 doubles the saturation")]

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image with its saturation changed; alpha is unchanged."""
        if image.pixels.bands < RGB_BANDS:
            return image
        return image.map_colour(self._stretched)

    def _stretched(self, colour: pyvips.Image) -> pyvips.Image:
        matrix = [
            [(1 - self.factor) * weight + (self.factor if row == column else 0) for column, weight in enumerate(LUMINANCE)]
            for row in range(RGB_BANDS)
        ]
        return colour.recomb(matrix).rint().cast(colour.format)
