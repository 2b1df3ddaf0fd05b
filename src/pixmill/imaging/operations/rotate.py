"""``rotate``: the picture turned."""

import math
from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied

QUARTER = 90
TURNS = {0: "d0", 90: "d90", 180: "d180", 270: "d270"}


class Rotate(Operation, frozen=True, kw_only=True, tag="rotate"):
    """Turn the picture clockwise by an angle; the canvas grows so that nothing is cut off.

    Quarter turns are exact. Other angles resample (bicubic) and leave corners in the background colour: transparent unless
    said otherwise, and so of the output's background where the format has no transparency. The orientation that a camera
    recorded has been applied already.

    Example: ``--step rotate:angle=90``
    """

    angle: Annotated[float, Meta(ge=-360, le=360, description="degrees, clockwise; negative turns the other way")]
    background: Annotated[Colour, Meta(description="colour of the corners of an oblique turn")] = Colour(0, 0, 0, alpha=0)

    @property
    def streams(self) -> bool:
        """Tell that a turned picture starts with pixels from all over the source."""
        return self.angle % 360 == 0

    @property
    def adds_alpha(self) -> bool:
        """Tell that corners of an oblique turn may be transparent."""
        return self.angle % QUARTER != 0 and not self.background.is_opaque

    def size_after(self, size: Size) -> Size | None:
        """Return ``size`` turned; that of an oblique turn is for the resampling to decide."""
        if self.angle % QUARTER:
            return None
        return size if self.angle % (2 * QUARTER) == 0 else (size[1], size[0])

    def apply(self, image: Image) -> Image:
        """Return each frame turned."""
        angle = self.angle % 360
        if angle == 0:
            return image
        held = image.evolve(pixels=image.pixels.copy_memory())
        if angle in TURNS:
            return held.map(lambda pixels: pixels.rot(TURNS[int(angle)]))
        held = self.background.with_bands_for(held)
        background = self.background.band_values(held)
        return held.map(lambda pixels: premultiplied(pixels, lambda weighted: _oblique(weighted, angle, background)))


def _oblique(pixels: pyvips.Image, angle: float, background: list[float]) -> pyvips.Image:
    """Turn ``pixels`` (premultiplied where they have alpha) with smooth edges."""
    if pixels.hasalpha():
        opacity = background[-1] / (65535 if pixels.interpretation in ("rgb16", "grey16") else 255)
        background = [*(band * opacity for band in background[:-1]), background[-1]]
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return pixels.affine(
        [cosine, -sine, sine, cosine],
        interpolate=pyvips.Interpolate.new("bicubic"),
        background=background,
        premultiplied=True,
    )
