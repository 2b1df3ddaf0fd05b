"""Colour management: convert images from any colour space to sRGB or gray, or keep their embedded profile."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import pyvips

from pixmill.imaging.colour.icc_read import HDR, codes_in, describes, is_srgb, peak_in
from pixmill.imaging.colour.stated import GRAY, RGB, SPACES
from pixmill.imaging.depth import WIDE_FORMATS, in_bytes
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field

#: The value of white and of full opacity, by value format.
MAX_VALUES = {"uchar": 255, "ushort": 65535}

Space = Literal["srgb", "keep"]
Depth = Literal["8", "keep"]


class Managed(NamedTuple):
    """An image in the working colour space, and notes on what was ignored or converted."""

    image: Image
    notes: tuple[str, ...] = ()


def to_working_space(image: Image, *, space: Space = "srgb", depth: Depth = "8") -> Managed:
    """Convert ``image`` to sRGB or gray, at 8 bits per channel unless it has 16 and ``depth`` is ``keep``.

    Its profile is applied, with relative intent and black point compensation; a broken profile or one for another colour space is
    ignored and noted. PQ and HLG are tone-mapped and noted. With ``space`` ``keep``, RGB and gray images stay in the colour space
    of their profile.
    """
    if image.has_raster:
        return Managed(image)
    pixels = image.pixels
    bits = 16 if depth == "keep" and pixels.format in WIDE_FORMATS else 8
    profile = field(pixels, PROFILE)
    if profile is None:  # libvips leaves the profile by which it converts CMYK
        return Managed(image.evolve(pixels=without_profile(_by_interpretation(pixels, bits))))
    if not describes(profile, SPACES.get(pixels.interpretation, b"")):
        return _without_usable_profile(image, bits)
    if space == "keep" and pixels.interpretation in (*RGB, *GRAY):
        return Managed(image.evolve(pixels=_by_interpretation(pixels, bits)))
    return to_srgb(image, bits)


def to_srgb(image: Image, bits: int) -> Managed:
    """Convert ``image``, which has a profile for its pixels, to sRGB or gray at ``bits`` per channel."""
    pixels, profile = image.pixels, field(image.pixels, PROFILE)
    primaries, transfer = codes_in(profile)
    if transfer in HDR:
        from pixmill.imaging.colour import tone_map  # noqa: PLC0415  # imports numpy, and few images have a high dynamic range

        dynamics = tone_map.Dynamics(primaries, transfer, peak_in(profile) or tone_map.DEFAULT_PEAK)
        mapped = tone_map.to_srgb(pixels, dynamics, bits=bits)
        return Managed(image.evolve(pixels=without_profile(mapped)), ("hdr-tone-mapped",))
    if pixels.interpretation in RGB and is_srgb(profile):
        return Managed(image.evolve(pixels=without_profile(_by_interpretation(pixels, bits))))
    managed = _transformed(pixels, bits)
    if managed is None:
        return _without_usable_profile(image, bits)
    if pixels.interpretation in GRAY:
        managed = managed.colourspace("grey16" if bits == 16 else "b-w")  # noqa: PLR2004  # bits
    return Managed(image.evolve(pixels=without_profile(managed)))


def _without_usable_profile(image: Image, bits: int) -> Managed:
    return Managed(image.evolve(pixels=_by_interpretation(without_profile(image.pixels), bits)), ("profile-ignored",))


def _transformed(pixels: pyvips.Image, bits: int) -> pyvips.Image | None:
    """Return ``pixels`` converted from their embedded ``profile`` to sRGB; ``None`` if the profile is unusable."""
    try:
        return _with_alpha_apart(
            pixels,
            lambda colour: colour.icc_transform(
                "srgb", embedded=True, intent="relative", black_point_compensation=True, pcs="lab", depth=bits
            ),
        )
    except pyvips.Error:
        return None


def _with_alpha_apart(pixels: pyvips.Image, convert: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """Return ``pixels`` converted; outside RGB and gray, libvips does not scale an alpha of 16 bits with the colours."""
    if pixels.interpretation in (*RGB, *GRAY) or pixels.format != "ushort" or not pixels.hasalpha():
        return convert(pixels)
    converted = convert(pixels.extract_band(0, n=pixels.bands - 1))
    scale = MAX_VALUES[converted.format] / MAX_VALUES["ushort"]
    alpha = pixels[pixels.bands - 1].linear(scale, 0).rint().cast(converted.format)
    return converted.bandjoin(alpha).copy(interpretation=converted.interpretation)


def _by_interpretation(pixels: pyvips.Image, bits: int) -> pyvips.Image:
    """Convert by the pixels' interpretation alone, without a profile."""
    gray = pixels.interpretation in GRAY
    if bits == 8 and pixels.interpretation in ("grey16", "rgb16"):  # noqa: PLR2004  # bits of a byte
        return in_bytes(pixels)
    interpretation = {(True, 8): "b-w", (True, 16): "grey16", (False, 8): "srgb", (False, 16): "rgb16"}[gray, bits]
    if pixels.interpretation == interpretation:
        return pixels
    return _with_alpha_apart(pixels, lambda colour: colour.colourspace(interpretation))


def without_profile(pixels: pyvips.Image) -> pyvips.Image:
    """Return ``pixels`` without an embedded profile, which means sRGB."""
    if not pixels.get_typeof(PROFILE):
        return pixels
    copied = pixels.copy()
    copied.remove(PROFILE)
    return copied
