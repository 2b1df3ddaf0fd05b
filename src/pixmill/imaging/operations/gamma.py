"""``gamma``: lighten or darken the midtones."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement


class Gamma(Operation, frozen=True, kw_only=True, tag="gamma"):
    """Lighten or darken the midtones; black and white are unchanged.

    Each value is raised to the power of 1/gamma: above 1 lightens, below 1 darkens, 1 changes nothing.

    Example: ``--step gamma:gamma=1.2``
    """

    gamma: Annotated[float, Meta(ge=0.01, le=100, description="above 1 lightens, below 1 darkens")]

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image with the curve applied to its colours; alpha is unchanged."""
        return image.map_colour(lambda colour: colour.gamma(exponent=self.gamma))
