"""Lay a picture on a background: on a larger canvas, or where it is transparent."""

from pixmill.imaging.colour.value import Colour
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.image import Image


def embed(image: Image, canvas: Size, *, at: tuple[int, int], background: Colour) -> Image:
    """Return each frame of ``image`` on a canvas of ``background``, its top left corner ``at`` (x, y).

    The picture gets the bands that the background needs; unchanged when it has the canvas' size already.
    """
    if canvas == (image.width, image.height):
        return image
    ready = background.with_bands_for(image)
    colour = background.band_values(ready)
    return ready.map(lambda pixels: pixels.embed(*at, *canvas, extend="background", background=colour))


def flattened(image: Image, background: Colour) -> Image:
    """Return ``image`` laid on ``background``."""
    ready = background.with_bands_for(image)
    *colour, _ = background.band_values(ready)
    return ready.evolve(pixels=ready.pixels.flatten(background=colour))
