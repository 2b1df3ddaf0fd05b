"""Decide whether a file with a palette can take the place of one in true colours."""

import pyvips

from pixmill.imaging.colour.icc_read import SPACE
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field

MAX_PIXELS = 16_000_000  # which take 2 s of processor time: 1.3 to find the palette, 0.7 to compare
MAX_DIFFERENCE = 1.0  # in Lab, the unit of which is about what an eye can see
VISIBLE_SHARE = 0.001  # of the pixels may differ by more
BACKGROUNDS = (0, 255)  # behind transparent pixels, whose own colours are not seen


def may_be_indexed(image: Image, profiles: tuple[bytes, ...]) -> bool:
    """Return whether ``image`` is a still in colour of 8 bits, not too large, without a profile other than ``profiles``."""
    pixels = image.pixels
    if image.frames > 1 or pixels.format != "uchar" or pixels.width * pixels.height > MAX_PIXELS:
        return False
    profile = field(pixels, PROFILE)
    return pixels.interpretation == "srgb" and (profile is None or profile[SPACE] in profiles)


def looks_same(image: Image, data: bytes) -> bool:
    """Return whether the PNG file ``data`` shows ``image`` without a difference that is seen."""
    indexed = pyvips.Image.new_from_buffer(data, "")
    is_opaque = not image.has_alpha and not indexed.hasalpha()
    return all(_looks_same_on(background, image.pixels, indexed) for background in BACKGROUNDS[: 1 if is_opaque else None])


def _looks_same_on(background: int, first: pyvips.Image, second: pyvips.Image) -> bool:
    labs = [_opaque(pixels, background).colourspace("srgb").colourspace("lab") for pixels in (first, second)]
    visible = labs[0].dE76(labs[1]) > MAX_DIFFERENCE
    return bool(visible.avg() <= VISIBLE_SHARE * 255)


def _opaque(pixels: pyvips.Image, background: int) -> pyvips.Image:
    return pixels.flatten(background=background) if pixels.hasalpha() else pixels
