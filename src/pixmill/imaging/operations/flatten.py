"""``flatten``: transparency laid on a colour."""

from typing import Annotated

from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation


class Flatten(Operation, frozen=True, kw_only=True, tag="flatten"):
    """Lay the picture on a background colour, so that nothing is transparent any more.

    Formats without transparency do this by themselves, on the recipe's background; use the step to flatten for formats that
    could keep it, or at a certain place among the steps. An opaque picture passes unchanged.

    Example: ``--step flatten:background=#ffffff``
    """

    removes_alpha = True

    background: Annotated[Colour, Meta(description="the colour below the picture")] = Colour(255, 255, 255)

    def __post_init__(self) -> None:
        """Refuse a background through which something could be seen."""
        super().__post_init__()
        if not self.background.is_opaque:
            raise self.error(f"flatten.background: expected an opaque colour, received {self.background}")

    def apply(self, image: Image) -> Image:
        """Return the picture without its alpha band."""
        if not image.has_alpha:
            return image
        ready = self.background.with_bands_for(image)
        *colour, _ = self.background.band_values(ready)
        return ready.evolve(pixels=ready.pixels.flatten(background=colour))
