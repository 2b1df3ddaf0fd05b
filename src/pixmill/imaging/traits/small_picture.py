"""The small picture that all traits are made of: at most 64 pixels per side, in sRGB."""

from typing import Any, NamedTuple

import numpy as np
import pyvips
from PIL import Image as Pillow

from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.orientation import CORRECTIONS

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

MAX_SIDE = 64  # pixels; ThumbHash takes up to 100, but keeps no detail that 64 do not show
#: Pixels of a large picture, per side, of which one of the small picture is the average: to read all of them would take longer than
#: everything else here.
SAMPLES = 4
OPAQUE = 255


class SmallPicture(NamedTuple):
    """``picture`` has the mode ``RGB``, or ``RGBA`` if part of it is transparent."""

    picture: Pillow.Image

    @property
    def colours(self) -> Bytes:
        """Return red, green and blue: height x width x 3, not premultiplied."""
        return np.asarray(self.picture)[..., :3]

    @property
    def alpha(self) -> Bytes | None:
        """Return the opacity, height x width; ``None`` if all is opaque."""
        return np.asarray(self.picture)[..., 3] if self.picture.mode == "RGBA" else None

    def on_white(self) -> Pillow.Image:
        """Return the picture on a white background."""
        if self.picture.mode == "RGB":
            return self.picture
        white = Pillow.new("RGBA", self.picture.size, "white")
        return Pillow.alpha_composite(white, self.picture)


def small_picture(image: Image, orientation: int = 1) -> SmallPicture:
    """Return the first frame of ``image``, whose pixels must be in memory, upright from ``orientation`` (as in EXIF)."""
    return from_pillow(image.raster if image.raster is not None else _sampled(image, orientation))


def from_pillow(picture: Pillow.Image) -> SmallPicture:
    """Return ``picture``, of any size, made small."""
    small = _reduced(picture)
    if small.mode not in ("LA", "RGBA"):
        return SmallPicture(small if small.mode == "RGB" else small.convert("RGB"))
    is_opaque = small.getchannel("A").getextrema() == (OPAQUE, OPAQUE)
    return SmallPicture(small.convert("RGB" if is_opaque else "RGBA"))


def _reduced(picture: Pillow.Image) -> Pillow.Image:
    longest = max(picture.size)
    if longest <= MAX_SIDE:
        return picture
    width, height = (max(1, round(side * MAX_SIDE / longest)) for side in picture.size)
    if longest < MAX_SIDE * SAMPLES:
        return picture.resize((width, height), Pillow.Resampling.BOX)
    return picture.resize((width * SAMPLES, height * SAMPLES), Pillow.Resampling.NEAREST).reduce(SAMPLES)


def _sampled(image: Image, orientation: int) -> Pillow.Image:
    """Return every so many pixels of the first frame, upright and in sRGB."""
    pixels = image.pixels if image.frames == 1 else image.frame(0)
    step = max(1, max(pixels.width, pixels.height) // (MAX_SIDE * SAMPLES))
    sampled = pixels.subsample(min(step, pixels.width), min(step, pixels.height)).copy_memory()
    return to_working_space(Image(_upright(sampled, orientation))).image.to_pil()


def _upright(pixels: pyvips.Image, orientation: int) -> pyvips.Image:
    if orientation not in CORRECTIONS:
        return pixels
    turn, mirror = CORRECTIONS[orientation]
    turned = pixels if turn is None else pixels.rot(turn)
    return turned if mirror is None else turned.flip(mirror)
