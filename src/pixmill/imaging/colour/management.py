"""Colour management: convert images from any colour space to sRGB or gray, or keep their embedded profile."""

from typing import Literal, NamedTuple

import pyvips

from pixmill.imaging.colour.icc_read import describes, is_srgb
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import field

PROFILE = "icc-profile-data"
GRAY = ("b-w", "grey16")
RGB = ("srgb", "rgb", "rgb16")
#: The colour space that a profile must declare, by libvips' name for the pixels' interpretation.
SPACES = {
    **dict.fromkeys(GRAY, b"GRAY"), **dict.fromkeys(RGB, b"RGB "), "cmyk": b"CMYK", "lab": b"Lab ", "labs": b"Lab ",
}  # fmt: skip
HIGH_DEPTH_FORMATS = ("ushort", "short", "uint", "int", "float", "double")

Space = Literal["srgb", "keep"]
Depth = Literal["8", "keep"]


class Managed(NamedTuple):
    """An image in the working colour space, and notes on what was ignored."""

    image: Image
    notes: tuple[str, ...] = ()


def to_working_space(image: Image, *, space: Space = "srgb", depth: Depth = "8") -> Managed:
    """Convert ``image`` to sRGB or gray, at 8 bits per channel unless it has 16 and ``depth`` is ``keep``.

    An embedded profile is applied, with relative intent and black point compensation; a broken profile or one for another colour
    space is ignored and noted. With ``space`` ``keep``, RGB and gray images stay in the colour space of their profile.
    """
    if image.has_raster:
        return Managed(image)
    pixels = image.pixels
    bits = 16 if depth == "keep" and pixels.format in HIGH_DEPTH_FORMATS else 8
    profile = field(pixels, PROFILE)
    if profile is None or (space == "keep" and pixels.interpretation in (*RGB, *GRAY)):
        return Managed(image.evolve(pixels=_by_interpretation(pixels, bits)))
    if pixels.interpretation in RGB and is_srgb(profile):
        return Managed(image.evolve(pixels=without_profile(_by_interpretation(pixels, bits))))
    managed = _transformed(pixels, profile, bits)
    if managed is None:
        return Managed(image.evolve(pixels=_by_interpretation(without_profile(pixels), bits)), ("profile-ignored",))
    if pixels.interpretation in GRAY:
        managed = managed.colourspace("grey16" if bits == 16 else "b-w")  # noqa: PLR2004  # bits
    return Managed(image.evolve(pixels=without_profile(managed)))


def _transformed(pixels: pyvips.Image, profile: bytes, bits: int) -> pyvips.Image | None:
    """Return ``pixels`` converted from their embedded ``profile`` to sRGB; ``None`` if the profile is unusable."""
    if not describes(profile, SPACES.get(pixels.interpretation, b"")):
        return None
    try:
        return pixels.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True, pcs="lab", depth=bits)
    except pyvips.Error:
        return None


def _by_interpretation(pixels: pyvips.Image, bits: int) -> pyvips.Image:
    """Convert by the pixels' interpretation alone, without a profile."""
    gray = pixels.interpretation in GRAY
    interpretation = {(True, 8): "b-w", (True, 16): "grey16", (False, 8): "srgb", (False, 16): "rgb16"}[gray, bits]
    return pixels if pixels.interpretation == interpretation else pixels.colourspace(interpretation)


def without_profile(pixels: pyvips.Image) -> pyvips.Image:
    """Return ``pixels`` without an embedded profile, which means sRGB."""
    if not pixels.get_typeof(PROFILE):
        return pixels
    copied = pixels.copy()
    copied.remove(PROFILE)
    return copied
