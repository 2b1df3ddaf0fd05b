"""Composite an image onto a background: on a larger canvas, or below transparent pixels."""

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image


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
    with_bands = background.with_bands_for(image)
    *colour, _ = background.band_values(with_bands)
    return with_bands.evolve(pixels=with_bands.pixels.flatten(background=colour))
