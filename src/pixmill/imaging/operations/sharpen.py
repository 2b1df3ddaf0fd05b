"""``sharpen``: edges made crisper."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation

BRIGHTEST_HALO = 10.0  # of 100 in L*: how much lighter an edge may become; the values that libvips recommends for screens
DARKEST_HALO = 20.0


class Sharpen(Operation, frozen=True, kw_only=True, tag="sharpen"):
    """Sharpen the picture by an unsharp mask on its lightness.

    Use it after a resize, which always softens a little. Only lightness changes (L* of CIELAB), so edges get no coloured
    fringes, and halos are bounded. Colours of transparent parts do not reach their neighbours, and alpha stays as it is.

    Example: ``--step sharpen:sigma=0.8,amount=2``
    """

    wants_final_scale = True

    sigma: Annotated[float, Meta(gt=0, le=10, description="radius of the mask in pixels; 0.5 suits pictures for screens")] = 0.5
    amount: Annotated[float, Meta(ge=0, le=100, description="how strongly edges are sharpened; 0 does nothing")] = 3.0
    threshold: Annotated[float, Meta(ge=0, le=100, description="differences in lightness (0 to 100) below this are left alone")] = (
        2.0
    )

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
        # A colour brighter than its own opacity allows would become a spark when the weight is divided out again.
        whole = self._unsharp_mask(weighted).bandjoin(alpha).unpremultiply()
        return whole.rint().cast(pixels.format).copy(interpretation=pixels.interpretation)

    def _unsharp_mask(self, colour: pyvips.Image) -> pyvips.Image:
        return colour.sharpen(sigma=self.sigma, m1=0, m2=self.amount, x1=self.threshold, y2=BRIGHTEST_HALO, y3=DARKEST_HALO)
