"""Composite an image with others: on a larger canvas, below a mark, or above a background."""

import pyvips

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.gravity import Gravity
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE, field

CLEAR = [0, 0, 0, 0]
RGB_BANDS = 3
SCALE_8_TO_16_BITS = 257  # 255 becomes 65535


def embed(image: Image, canvas: Size, *, offset: tuple[int, int], background: Colour) -> Image:
    """Return each frame of ``image`` on a canvas of ``background``, with its top left corner at ``offset`` (x, y).

    The image gains the bands that the background needs. It is returned unchanged if it already has the size of the canvas.
    """
    if canvas == (image.width, image.height):
        return image
    with_bands = background.with_bands_for(image)
    colour = background.band_values(with_bands)
    return with_bands.map(lambda pixels: pixels.embed(*offset, *canvas, extend="background", background=colour))


def overlaid(image: Image, mark: pyvips.Image, *, position: Gravity, margin: int) -> Image:
    """Return each frame of ``image`` with ``mark``, which has alpha and fits, at ``position`` within margins.

    Opaque images stay opaque; gray ones become RGB for a coloured mark.
    """
    canvas = (image.width, image.height)
    inner = within_margins(canvas, margin)
    left, top = position.offset(inner, (mark.width, mark.height))
    x, y = left + (canvas[0] - inner[0]) // 2, top + (canvas[1] - inner[1]) // 2
    return layered(image, mark.embed(x, y, *canvas, extend="background", background=CLEAR[: mark.bands]))


def layered(image: Image, layer: pyvips.Image) -> Image:
    """Return each frame of ``image`` below ``layer``, of the same size, in 8 bits and with alpha."""
    layer, below = layer.replicate(1, image.frames), image.pixels
    if below.bands < RGB_BANDS <= layer.bands:
        below = below.colourspace("rgb16" if image.max_value > SCALE_8_TO_16_BITS else "srgb")
    elif layer.bands < RGB_BANDS <= below.bands:
        layer = layer.colourspace("srgb")
    if below.format == "ushort":
        layer = (layer * SCALE_8_TO_16_BITS).cast("ushort").copy(interpretation=below.interpretation)
    combined = below.composite2(layer, "over", compositing_space=below.interpretation)
    return image.evolve(pixels=combined if image.has_alpha else combined.extract_band(0, n=combined.bands - 1))


def within_margins(canvas: Size, margin: int) -> Size:
    """Return the size of the area inside the margins, at least one pixel."""
    return max(1, canvas[0] - 2 * margin), max(1, canvas[1] - 2 * margin)


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
