"""Colour management: whatever space a picture comes in, it leaves in sRGB (or gray), or keeps the profile that describes it."""

from typing import Literal, NamedTuple

import pyvips

from pixmill.imaging.colour.icc_read import describes, is_srgb
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import field

PROFILE = "icc-profile-data"
GRAY = ("b-w", "grey16")
RGB = ("srgb", "rgb", "rgb16")
#: The colour space that a profile must be of, by libvips' name for that of the pixels.
SPACES = {
    **dict.fromkeys(GRAY, b"GRAY"), **dict.fromkeys(RGB, b"RGB "), "cmyk": b"CMYK", "lab": b"Lab ", "labs": b"Lab ",
}  # fmt: skip
DEEP = ("ushort", "short", "uint", "int", "float", "double")

Space = Literal["srgb", "keep"]
Depth = Literal["8", "keep"]


class Managed(NamedTuple):
    """A picture in the working space, and the notes on what could not be done as the file asked."""

    image: Image
    notes: tuple[str, ...] = ()


def to_working_space(image: Image, *, space: Space = "srgb", depth: Depth = "8") -> Managed:
    """Bring ``image`` to sRGB or gray, 8 bits a channel unless 16 are there and kept.

    An embedded profile is honoured, with relative intent and black point compensation; one that is broken or of another kind
    of picture is ignored and noted. With ``space`` ``keep``, RGB and gray pictures stay as their profile has them.
    """
    if image.has_raster:
        return Managed(image)
    pixels = image.pixels
    bits = 16 if depth == "keep" and pixels.format in DEEP else 8
    profile = field(pixels, PROFILE)
    if profile is None or (space == "keep" and pixels.interpretation in (*RGB, *GRAY)):
        return Managed(image.evolve(pixels=_plain(pixels, bits)))
    if pixels.interpretation in RGB and is_srgb(profile):
        return Managed(image.evolve(pixels=without_profile(_plain(pixels, bits))))
    managed = _transformed(pixels, profile, bits)
    if managed is None:
        return Managed(image.evolve(pixels=_plain(without_profile(pixels), bits)), ("profile-ignored",))
    if pixels.interpretation in GRAY:
        managed = managed.colourspace("grey16" if bits == 16 else "b-w")  # noqa: PLR2004  # bits
    return Managed(image.evolve(pixels=without_profile(managed)))


def _transformed(pixels: pyvips.Image, profile: bytes, bits: int) -> pyvips.Image | None:
    """Return ``pixels`` taken from their embedded ``profile`` to sRGB; ``None`` when that cannot be used."""
    if not describes(profile, SPACES.get(pixels.interpretation, b"")):
        return None
    try:
        return pixels.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True, pcs="lab", depth=bits)
    except pyvips.Error:
        return None


def _plain(pixels: pyvips.Image, bits: int) -> pyvips.Image:
    """Convert by what libvips knows of the space alone."""
    gray = pixels.interpretation in GRAY
    wanted = {(True, 8): "b-w", (True, 16): "grey16", (False, 8): "srgb", (False, 16): "rgb16"}[gray, bits]
    return pixels if pixels.interpretation == wanted else pixels.colourspace(wanted)


def without_profile(pixels: pyvips.Image) -> pyvips.Image:
    """Return ``pixels`` with no embedded profile: they are sRGB now."""
    if not pixels.get_typeof(PROFILE):
        return pixels
    bare = pixels.copy()
    bare.remove(PROFILE)
    return bare
