"""``saturation``: colours stronger or paler."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue: ITU-R BT.709, as in CSS Filter Effects, section "saturate"
RGB_BANDS = 3


class Saturation(Operation, frozen=True, kw_only=True, tag="saturation"):
    """Make colours stronger or paler.

    Each colour moves away from the gray of its own luminance by the factor, as the filter ``saturate`` does in CSS. A gray
    picture passes unchanged; to make one, use ``grayscale``, which also writes smaller files.

    Example: ``--step saturation:factor=1.3``
    """

    factor: Annotated[float, Meta(ge=0, le=100, description="1 changes nothing, 0 leaves no colour, 2 doubles it")]

    def apply(self, image: Image) -> Image:
        """Return the picture with its colours stretched; alpha stays."""
        if image.pixels.bands < RGB_BANDS:
            return image
        return image.map_colour(self._stretched)

    def _stretched(self, colour: pyvips.Image) -> pyvips.Image:
        matrix = [
            [(1 - self.factor) * weight + (self.factor if row == column else 0) for column, weight in enumerate(LUMINANCE)]
            for row in range(RGB_BANDS)
        ]
        return colour.recomb(matrix).rint().cast(colour.format)
