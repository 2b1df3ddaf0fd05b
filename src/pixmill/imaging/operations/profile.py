"""``profile``: convert to another colour space and embed its profile."""

from typing import Annotated, Literal

import pyvips
from msgspec import Meta

from pixmill.core.errors import RecipeError, TransformError
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement

#: Colour spaces with built-in profiles, and their names in libvips.
BUILT_IN = {"srgb": "srgb", "display-p3": "p3", "cmyk": "cmyk"}


class Profile(Operation, frozen=True, kw_only=True, tag="profile"):
    """Convert the image to a colour space and embed its ICC profile.

    Use it as the last step, for print (CMYK, or the printer's own profile) and for wide-gamut displays; all other steps require
    sRGB. A colour space that the output format does not support fails the image. Alpha is unchanged.

    Example: ``--step profile:name=display-p3``
    """

    leaves_working_space = True

    name: Annotated[
        str, Meta(min_length=1, description="srgb, display-p3, cmyk, or the path of an ICC profile", extra={"value": "FILE"})
    ]
    intent: Annotated[
        Literal["relative", "perceptual", "saturation", "absolute"],
        Meta(description="rendering intent: how out-of-gamut colours are mapped"),
    ] = "relative"

    @property
    def files(self) -> tuple[str, ...]:
        """Return the file of the profile, if it is given by path."""
        return () if self.name in BUILT_IN else (self.name,)

    def check(self) -> None:
        """Try the profile, so that a broken or input-only one stops the run before it starts."""
        super().check()
        try:
            self.apply(Image(pyvips.Image.black(1, 1, bands=3).copy(interpretation="srgb")))
        except TransformError as error:
            raise RecipeError(error.message, hint=error.hint) from None

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return the image converted from its own profile, or sRGB if it has none, to the colour space of the profile."""
        try:
            return image.map_colour(self._converted)
        except pyvips.Error as error:
            raise TransformError(f"profile.name: {self.name} cannot be used", hint=str(error.detail).strip()) from error

    def _converted(self, colour: pyvips.Image) -> pyvips.Image:
        return colour.icc_transform(
            BUILT_IN.get(self.name, self.name),
            input_profile="srgb",
            embedded=True,
            intent=self.intent,
            black_point_compensation=True,
            depth=16 if colour.format == "ushort" else 8,
        )
