"""``blur``: a Gaussian blur."""

from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement
from pixmill.imaging.pixels import premultiplied

MIN_AMPLITUDE = 0.02  # of the peak: the mask is cut off there, at 2.8 sigma


class Blur(Operation, frozen=True, kw_only=True, tag="blur"):
    """Blur the image with a Gaussian.

    Use it for backdrops and placeholders, or to hide noise before strong compression. Sigma is in pixels at this step, so blur
    after a resize. Colours from beyond the edges or from transparent areas do not bleed in.

    Example: ``--step blur:sigma=4``
    """

    wants_final_scale = True

    sigma: Annotated[float, Meta(gt=0, le=250, description="standard deviation of the Gaussian, in pixels")] = 2.0

    @property
    def placement(self) -> Placement:
        """Return that every pixel stays where it is."""
        return "kept"

    def apply(self, image: Image) -> Image:
        """Return each frame blurred, with premultiplied alpha."""
        return image.map(self._blurred)

    def _blurred(self, pixels: pyvips.Image) -> pyvips.Image:
        # An integer mask is five times as fast, but up to three levels off, and more if it is cut off as early as libvips allows.
        def smooth(weighted: pyvips.Image) -> pyvips.Image:
            return weighted.cast("float").gaussblur(self.sigma, min_ampl=MIN_AMPLITUDE, precision="float")

        return premultiplied(pixels, smooth).rint().cast(pixels.format)
