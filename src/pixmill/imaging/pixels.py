"""Pixel helpers: premultiplied transforms, tone curves, and checks that an image is valid in the working colour space."""

from collections.abc import Callable

import pyvips

from pixmill.imaging.image import Image

#: For each interpretation: the value format, and the number of bands without and with alpha.
SPACES = {"b-w": ("uchar", (1, 2)), "grey16": ("ushort", (1, 2)), "srgb": ("uchar", (3, 4)), "rgb16": ("ushort", (3, 4))}


def premultiplied(pixels: pyvips.Image, transform: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """Return ``transform(pixels)``, computed on premultiplied colours if there is alpha; depth and colour space stay the same."""
    if not pixels.hasalpha():
        return transform(pixels)
    mixed = transform(pixels.premultiply()).unpremultiply()
    return mixed.rint().cast(pixels.format).copy(interpretation=pixels.interpretation)


def linear(colour: pyvips.Image, *, slope: float, offset: float) -> pyvips.Image:
    """Return ``colour`` (8 or 16 bits) with each value times ``slope`` plus ``offset``, rounded and clipped."""
    table = pyvips.Image.identity(ushort=colour.format == "ushort").linear(slope, offset).rint().cast(colour.format)
    return colour.maplut(table)


def in_full_range(luma: pyvips.Image, depth: int) -> pyvips.Image:
    """Return ``luma``, made from ``depth`` bits in the limited range (16 to 235 of 255), in the full range.

    libheif does so for colours only.
    """
    scale = (65535 if luma.format == "ushort" else 255) / (2**depth - 1)
    black, reach = (16 << depth - 8) * scale, (219 << depth - 8) * scale
    return linear(luma, slope=scale * (2**depth - 1) / reach, offset=-black * scale * (2**depth - 1) / reach)


def unpremultiplied(pixels: pyvips.Image, *, white: int) -> pyvips.Image:
    """Return ``pixels`` with the colours that were multiplied by alpha; ``white`` is the largest value of a channel."""
    return pixels.unpremultiply(max_alpha=white).rint().cast(pixels.format).copy(interpretation=pixels.interpretation)


def ycbcr_to_rgb(samples: pyvips.Image) -> pyvips.Image:
    """Return ``samples`` of YCbCr, of 8 or 16 bits in the full range, as RGB, by the matrix of JPEG (ITU-T T.871, section 7)."""
    middle = 32768 if samples.format == "ushort" else 128
    centred = samples.linear([1, 1, 1], [0, -middle, -middle])
    rgb = centred.recomb(pyvips.Image.new_from_array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]]))
    return rgb.rint().cast(samples.format).copy(interpretation="rgb16" if samples.format == "ushort" else "srgb")


def describe_invalid(image: Image) -> str:
    """Return a description of why ``image`` is not valid in the working colour space; empty if it is valid."""
    pixels = image.pixels
    kind, bands = SPACES.get(pixels.interpretation, ("", ()))
    if pixels.format != kind or pixels.bands not in bands:
        spaces = ", ".join(SPACES)
        return f"{pixels.bands} bands of {pixels.format} as {pixels.interpretation}, expected one of {spaces}"
    if image.frames < 1 or pixels.height % image.frames:
        return f"{pixels.height} rows of pixels, which do not divide into {image.frames} frames"
    if image.delays and len(image.delays) != image.frames:
        return f"{len(image.delays)} delays for {image.frames} frames"
    return ""


def quantised(image: Image) -> Image:
    """Return ``image`` with its values rounded and clipped to the range of its interpretation, as needed after arithmetic."""
    pixels = image.pixels
    kind, _ = SPACES.get(pixels.interpretation, (pixels.format, ()))
    return image if pixels.format == kind else image.evolve(pixels=pixels.rint().cast(kind))
