"""``flip``: mirror the image."""

from typing import Annotated, Literal

from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement


class Flip(Operation, frozen=True, kw_only=True, tag="flip"):
    """Mirror the image horizontally or vertically.

    Use it for slides that were scanned the wrong way round, or to augment training data. The orientation recorded by the camera
    has already been applied.

    Example: ``--step flip:direction=vertical``
    """

    direction: Annotated[
        Literal["horizontal", "vertical"],
        Meta(description="`horizontal` swaps left and right, `vertical` swaps top and bottom"),
    ] = "horizontal"

    @property
    def streams(self) -> bool:
        """Return whether rows stay in order; a vertical flip starts with the bottom row."""
        return self.direction == "horizontal"

    @property
    def placement(self) -> Placement:
        """Return that the size decides."""
        return "by-size"

    def apply(self, image: Image) -> Image:
        """Return each frame mirrored."""
        if self.direction == "horizontal":
            return image.evolve(pixels=image.pixels.fliphor())
        return image.evolve(pixels=image.pixels.copy_memory()).map(lambda pixels: pixels.flipver())
