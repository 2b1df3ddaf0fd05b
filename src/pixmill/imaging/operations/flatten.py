"""``flatten``: replace transparency with a background colour."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import flattened
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement


class Flatten(Operation, frozen=True, kw_only=True, tag="flatten"):
    """Replace transparency with a background colour.

    For formats without transparency this happens automatically, on the recipe's background. Use the step to flatten for formats
    that support transparency, or at a specific point among the steps. An opaque image is unchanged.

    Example: ``--step flatten:background=#ffffff``
    """

    removes_alpha = True

    background: Annotated[Colour, Meta(description="background colour; must be opaque")] = Colour(255, 255, 255)

    def __post_init__(self) -> None:
        """Reject a background that is not opaque."""
        super().__post_init__()
        if not self.background.is_opaque:
            raise self.error(f"flatten.background: expected an opaque colour, received {self.background}")

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image without its alpha band."""
        return flattened(image, self.background) if image.has_alpha else image
