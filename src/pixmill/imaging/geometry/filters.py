"""Filters: which images of a source the recipe is for, by what their headers say."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import RecipeError, Skip
from pixmill.core.model import Model
from pixmill.core.units import Size
from pixmill.imaging.geometry.sizes import Size as PixelSize

MIN_SIZE, MAX_ASPECT = "min-size", "max-aspect"


class Filters(Model, frozen=True, kw_only=True):
    """Images that are rejected: not processed, and no failures."""

    error: ClassVar = RecipeError

    min_size: Annotated[Size, Meta(description="reject images with a shorter side, such as 256x256, 800x or x600")] | None = None
    max_aspect: (
        Annotated[float, Meta(ge=1, description="reject images whose longer side is more than this many times the shorter one")]
        | None
    ) = None

    def __post_init__(self) -> None:
        """Reject a size that is no box."""
        super().__post_init__()
        if self.min_size is not None and not self.min_size.is_box:
            raise self.error(f"min_size: expected a size in pixels such as 256x256, received {self.min_size}")

    def check(self, size: PixelSize) -> None:
        """Raise ``Skip`` if an image whose ``size``, upright, is this is rejected."""
        width, height = size
        if self.min_size is not None and (width < (self.min_size.width or 0) or height < (self.min_size.height or 0)):
            raise Skip(MIN_SIZE)
        if self.max_aspect is not None and max(width, height) > self.max_aspect * min(width, height):
            raise Skip(MAX_ASPECT)
