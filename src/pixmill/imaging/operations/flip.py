"""``flip``: the picture in a mirror."""

from typing import Annotated, Literal

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation


class Flip(Operation, frozen=True, kw_only=True, tag="flip"):
    """Mirror the picture: left to right, or top to bottom.

    Use it for scans of transparencies that lay the wrong way round, or to augment training data. The orientation that a
    camera recorded has been applied already.

    Example: ``--step flip:direction=vertical``
    """

    direction: Annotated[
        Literal["horizontal", "vertical"],
        Meta(description="`horizontal` changes left and right, `vertical` top and bottom"),
    ] = "horizontal"

    @property
    def streams(self) -> bool:
        """Tell that the bottom row comes first when top and bottom change."""
        return self.direction == "horizontal"

    def apply(self, image: Image) -> Image:
        """Return each frame mirrored."""
        if self.direction == "horizontal":
            return image.evolve(pixels=image.pixels.fliphor())
        return image.evolve(pixels=image.pixels.copy_memory()).map(lambda pixels: pixels.flipver())
