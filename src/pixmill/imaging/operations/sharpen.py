"""``sharpen``: an unsharp mask."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement

MAX_BRIGHT_HALO = 10.0  # in L* (0 to 100): the most an edge may be lightened; values recommended by libvips for screens
MAX_DARK_HALO = 20.0  # in L*: the most an edge may be darkened


class Sharpen(Operation, frozen=True, kw_only=True, tag="sharpen"):
    """Sharpen the image with an unsharp mask on its lightness.

    Use it after a resize, which always softens the image slightly. Only lightness changes (L* of CIELAB), so there are no colour
    fringes, and halos are limited. Colours of transparent areas do not affect their neighbours, and alpha is unchanged.

    Example: ``--step sharpen:sigma=0.8,amount=2``
    """

    wants_final_scale = True

    sigma: Annotated[float, Meta(gt=0, le=10, description="radius of the mask in pixels; 0.5 suits images for screens")] = 0.5
    amount: Annotated[float, Meta(ge=0, le=100, description="strength of the sharpening; 0 changes nothing")] = 3.0
    threshold: Annotated[float, Meta(ge=0, le=100, description="smaller differences in lightness (0 to 100) are not sharpened")] = (
        2.0
    )

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return each frame sharpened."""
        return image.map(self._sharpened)

    def _sharpened(self, pixels: pyvips.Image) -> pyvips.Image:
        if not pixels.hasalpha():
            return self._unsharp_mask(pixels)
        bands = pixels.bands - 1
        alpha = pixels.extract_band(bands)
        weighted = (
            pixels.premultiply().extract_band(0, n=bands).rint().cast(pixels.format).copy(interpretation=pixels.interpretation)
        )
        # Clipped by alpha on unpremultiply: a colour brighter than its alpha would otherwise become a bright speck.
        sharpened = self._unsharp_mask(weighted).bandjoin(alpha).unpremultiply()
        return sharpened.rint().cast(pixels.format).copy(interpretation=pixels.interpretation)

    def _unsharp_mask(self, colour: pyvips.Image) -> pyvips.Image:
        return colour.sharpen(sigma=self.sigma, m1=0, m2=self.amount, x1=self.threshold, y2=MAX_BRIGHT_HALO, y3=MAX_DARK_HALO)
