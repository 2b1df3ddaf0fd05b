"""``rotate``: rotate the image."""

import math
from typing import Annotated

import pyvips
from msgspec import Meta

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.operation import Operation, Placement
from pixmill.imaging.pixels import premultiplied

QUARTER_TURN = 90
TURNS = {0: "d0", 90: "d90", 180: "d180", 270: "d270"}


class Rotate(Operation, frozen=True, kw_only=True, tag="rotate"):
    """Rotate the image clockwise by an angle; the canvas grows so that nothing is cropped.

    Multiples of 90 degrees are exact. Other angles resample (bicubic) and fill the corners with the background colour, which is
    transparent by default and replaced by the output's background if the format has no transparency. The orientation recorded
    by the camera has already been applied.

    Example: ``--step rotate:angle=90``
    """

    angle: Annotated[float, Meta(ge=-360, le=360, description="degrees clockwise; negative values rotate counter-clockwise")]
    background: Annotated[Colour, Meta(description="colour of the corners, for angles that are not multiples of 90")] = Colour(
        0, 0, 0, alpha=0
    )

    @property
    def streams(self) -> bool:
        """Return whether there is no rotation; a rotated image needs pixels from all over the source."""
        return self.angle % 360 == 0

    @property
    def adds_alpha(self) -> bool:
        """Return whether the corners may be transparent."""
        return self.angle % QUARTER_TURN != 0 and not self.background.is_opaque

    @property
    def placement(self) -> Placement:
        """Return that the size decides; at other angles there are corners."""
        return "other" if self.angle % QUARTER_TURN else "by-size"

    def size_after(self, size: Size) -> Size | None:
        """Return the rotated ``size``; ``None`` for angles that are resampled."""
        if self.angle % QUARTER_TURN:
            return None
        return size if self.angle % (2 * QUARTER_TURN) == 0 else (size[1], size[0])

    def apply(self, image: Image) -> Image:
        """Return each frame rotated."""
        angle = self.angle % 360
        if angle == 0:
            return image
        in_memory = image.evolve(pixels=image.pixels.copy_memory())
        if angle in TURNS:
            return in_memory.map(lambda pixels: pixels.rot(TURNS[int(angle)]))
        in_memory = self.background.with_bands_for(in_memory)
        background = self.background.band_values(in_memory)
        return in_memory.map(lambda pixels: premultiplied(pixels, lambda weighted: _oblique(weighted, angle, background)))


def _oblique(pixels: pyvips.Image, angle: float, background: list[float]) -> pyvips.Image:
    """Rotate ``pixels`` (premultiplied if they have alpha) with smooth edges."""
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
