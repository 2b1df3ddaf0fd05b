"""Composite an image onto a background: on a larger canvas, or below transparent pixels."""

import pyvips

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field


def embed(image: Image, canvas: Size, *, offset: tuple[int, int], background: Colour) -> Image:
    """Return each frame of ``image`` on a canvas of ``background``, with its top left corner at ``offset`` (x, y).

    The image gains the bands that the background needs. It is returned unchanged if it already has the size of the canvas.
    """
    if canvas == (image.width, image.height):
        return image
    with_bands = background.with_bands_for(image)
    colour = background.band_values(with_bands)
    return with_bands.map(lambda pixels: pixels.embed(*offset, *canvas, extend="background", background=colour))


def flattened(image: Image, background: Colour) -> Image:
    """Return ``image`` without alpha, composited onto ``background``."""
    if image.pixels.interpretation == "cmyk":
        return image.evolve(pixels=image.pixels.flatten(background=_in_cmyk(background, image.pixels)))
    with_bands = background.with_bands_for(image)
    *colour, _ = background.band_values(with_bands)
    return with_bands.evolve(pixels=with_bands.pixels.flatten(background=colour))


def _in_cmyk(colour: Colour, pixels: pyvips.Image) -> list[float]:
    """Return ``colour`` in the space of the profile of ``pixels``."""
    dot = pyvips.Image.new_from_memory(bytes([colour.red, colour.green, colour.blue]), 1, 1, 3, "uchar").copy(interpretation="srgb")
    lab = dot.icc_import(input_profile="srgb", intent="relative", black_point_compensation=True).copy()
    lab.set_type(pyvips.GValue.blob_type, PROFILE, field(pixels, PROFILE))
    inks = lab.icc_export(intent="relative", black_point_compensation=True, depth=16 if pixels.format == "ushort" else 8)
    return list(inks.getpoint(0, 0))
