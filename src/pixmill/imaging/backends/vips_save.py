"""From pixels to a file: make the picture one that the format can hold, and hand it to the encoder."""

import pyvips

from pixmill.core.errors import EncodeError
from pixmill.imaging.backends.vips import Setting
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.format import Format
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import fields

DEEP = 16


def fit(image: Image, known: Format, background: Colour) -> Image:
    """Return ``image`` as ``known`` can hold it: one frame, opaque on ``background``, 8 bits, where it must.

    ``EncodeError`` with the numbers when a side is too long for the format.
    """
    if image.frames > 1 and not known.animation:
        image = Image(image.frame(0))
    longest = max(image.width, image.height)
    if longest > known.max_side:
        size = f"{image.width:,} x {image.height:,}"
        message = f"a picture of {size} is too large for {known.label}, whose sides end at {known.max_side:,}"
        raise EncodeError(message, hint="add a resize, or choose another format", code="too-large")
    if image.is_bare:
        return image
    if image.has_alpha and not known.alpha:
        image = flattened(image, background)
    if image.pixels.format != "uchar" and DEEP not in known.depths:
        pixels = image.pixels
        image = image.evolve(pixels=pixels.colourspace("b-w" if pixels.interpretation in ("grey16", "b-w") else "srgb"))
    return image


def flattened(image: Image, background: Colour) -> Image:
    """Return ``image`` laid on ``background``."""
    ready = background.ready(image)
    *colour, _ = background.on(ready)
    return ready.evolve(pixels=ready.pixels.flatten(background=colour))


def save(image: Image, saver: str, **settings: Setting) -> bytes:
    """Return the file that the libvips ``saver`` makes of ``image``, with the metadata that its pixels carry."""
    pixels = animated(image) if image.frames > 1 else image.pixels
    data: bytes = pyvips.Operation.call(
        f"{saver}_buffer", pixels, keep="|".join(sorted(fields.kinds(pixels))) or "none", **settings
    )
    return data


def animated(image: Image) -> pyvips.Image:
    """Return the pixels marked as frames with delays and repetitions, as savers of animations read them."""
    pixels = image.pixels.copy()
    pixels.set_type(pyvips.GValue.gint_type, "page-height", image.height)
    pixels.set_type(pyvips.GValue.array_int_type, "delay", list(image.delays))
    pixels.set_type(pyvips.GValue.gint_type, "loop", image.loop)
    return pixels
