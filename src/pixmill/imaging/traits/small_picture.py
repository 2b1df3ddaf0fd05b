"""The small picture that all traits are made of: at most 100 pixels per side, in sRGB."""

from typing import Any, Literal, NamedTuple

import numpy as np
import pyvips
from PIL import Image as Pillow

from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.orientation import CORRECTIONS

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

MAX_SIDE = 100  # pixels; ThumbHash takes no more
#: Pixels of a large picture, per side, of which one of the small picture is the average: to read all of them would take longer than
#: everything else here.
SAMPLES = 4
OPAQUE = 255
Mode = Literal["RGB", "RGBA"]


class SmallPicture(NamedTuple):
    """``colours``: height x width x 3. ``alpha``: height x width, not premultiplied."""

    colours: Bytes
    alpha: Bytes

    def on_white(self) -> Pillow.Image:
        """Return the picture on a white background."""
        if (self.alpha == OPAQUE).all():
            return Pillow.fromarray(self.colours)
        alpha = self.alpha[..., None].astype(np.int64)
        mixed = (self.colours * alpha + OPAQUE * (OPAQUE - alpha)) // OPAQUE
        return Pillow.fromarray(mixed.astype(np.uint8))


def small_picture(image: Image, orientation: int = 1) -> SmallPicture:
    """Return the first frame of ``image``, whose pixels must be in memory, upright from ``orientation`` (as in EXIF)."""
    return from_pillow(image.raster if image.raster is not None else _sampled(image, orientation))


def from_pillow(picture: Pillow.Image) -> SmallPicture:
    """Return ``picture``, of any size, made small."""
    small = _reduced(picture.convert("RGB") if picture.mode == "L" and max(picture.size) <= MAX_SIDE else picture)
    mode: Mode = "RGBA" if small.mode in ("LA", "RGBA") else "RGB"
    pixels = np.asarray(small if small.mode == mode else small.convert(mode))
    alpha = pixels[..., 3] if mode == "RGBA" else np.full(pixels.shape[:2], OPAQUE, np.uint8)
    return SmallPicture(pixels[..., :3], alpha)


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
    pixels = image.frame(0)
    step = max(1, max(pixels.width, pixels.height) // (MAX_SIDE * SAMPLES))
    across, down = min(step, pixels.width), min(step, pixels.height)
    pixels = _upright(pixels.subsample(across, down, point=True), orientation)
    return to_working_space(Image(pixels)).image.to_pil()


def _upright(pixels: pyvips.Image, orientation: int) -> pyvips.Image:
    if orientation not in CORRECTIONS:
        return pixels
    turn, mirror = CORRECTIONS[orientation]
    turned = pixels.copy_memory() if turn is None else pixels.copy_memory().rot(turn)
    return turned if mirror is None else turned.flip(mirror)
