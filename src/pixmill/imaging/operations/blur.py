"""``blur``: the picture out of focus."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied

TAIL = 0.02  # of the peak: where the mask ends, 2.8 sigma out


class Blur(Operation, frozen=True, kw_only=True, tag="blur"):
    """Blur the picture with a Gaussian.

    Use it for backdrops and placeholders, or to hide noise before a strong compression. Sigma is in pixels of the picture as
    it is at this step, so blur after a resize. Nothing shines through from beyond the edges or out of transparent parts.

    Example: ``--step blur:sigma=4``
    """

    wants_final_scale = True

    sigma: Annotated[float, Meta(gt=0, le=250, description="standard deviation of the Gaussian, in pixels")] = 2.0

    def apply(self, image: Image) -> Image:
        """Return each frame blurred, colours weighted by their opacity."""
        return image.map(self._blurred)

    def _blurred(self, pixels: pyvips.Image) -> pyvips.Image:
        # An integer mask, five times as fast, is up to three levels off, and more where it ends as early as libvips lets it.
        def smooth(weighted: pyvips.Image) -> pyvips.Image:
            return weighted.cast("float").gaussblur(self.sigma, min_ampl=TAIL, precision="float")

        return premultiplied(pixels, smooth).rint().cast(pixels.format)
