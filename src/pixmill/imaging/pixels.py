"""Helpers on pixels: resizing without colour fringes, tone curves, and whether pixels are ones that every step can take."""

from collections.abc import Callable

import pyvips

from pixmill.imaging.image import Image

#: What each interpretation holds: the format of a value, and the bands without and with alpha.
SPACES = {"b-w": ("uchar", (1, 2)), "grey16": ("ushort", (1, 2)), "srgb": ("uchar", (3, 4)), "rgb16": ("ushort", (3, 4))}


def premultiplied(pixels: pyvips.Image, transform: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """Return ``transform(pixels)``, done on colours weighted by their opacity where there is any; depth and space stay."""
    if not pixels.hasalpha():
        return transform(pixels)
    mixed = transform(pixels.premultiply()).unpremultiply()
    return mixed.rint().cast(pixels.format).copy(interpretation=pixels.interpretation)


def linear(colour: pyvips.Image, *, slope: float, offset: float) -> pyvips.Image:
    """Return ``colour`` (8 or 16 bits) with each value times ``slope`` plus ``offset``, rounded and kept in range."""
    table = pyvips.Image.identity(ushort=colour.format == "ushort").linear(slope, offset).rint().cast(colour.format)
    return colour.maplut(table)


def describe_invalid(image: Image) -> str:
    """Say in words what is wrong with ``image`` in the working colour space; the empty string when nothing is."""
    pixels = image.pixels
    kind, bands = SPACES.get(pixels.interpretation, ("", ()))
    if pixels.format != kind or pixels.bands not in bands:
        spaces = ", ".join(SPACES)
        return f"{pixels.bands} bands of {pixels.format} as {pixels.interpretation}, expected one of {spaces}"
    if image.frames < 1 or pixels.height % image.frames:
        return f"a column {pixels.height} pixels high does not divide into {image.frames} frames"
    if image.delays and len(image.delays) != image.frames:
        return f"{len(image.delays)} delays for {image.frames} frames"
    return ""


def quantised(image: Image) -> Image:
    """Return ``image`` with its values rounded and clipped to what its interpretation holds: arithmetic makes them fractions."""
    pixels = image.pixels
    kind, _ = SPACES.get(pixels.interpretation, (pixels.format, ()))
    return image if pixels.format == kind else image.evolve(pixels=pixels.rint().cast(kind))
