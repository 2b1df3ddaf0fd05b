"""From a finished picture to the file of one rendition."""

from contextlib import suppress

import msgspec

from pixmill.core.errors import EncodeError
from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import flattened
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import Kept, attach
from pixmill.imaging.pipeline import turbo_encode
from pixmill.imaging.recipe import Recipe, Rendition

DEEP = 16


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was made. ``format`` is the name of its format; ``width`` and ``height`` are of one frame."""

    rendition: str
    data: bytes
    width: int
    height: int
    format: str


def encode(image: Image, rendition: Rendition, header: Header, recipe: Recipe, kept: Kept) -> Output:
    """Return the file that ``rendition`` makes of ``image``, with the metadata that are ``kept``."""
    codec = rendition.encode.for_source(header.format)
    ready = fit(image, codec.format, recipe.background)
    marked = ready.evolve(pixels=attach(ready.pixels, kept)) if kept or not ready.has_raster else ready
    data = _written(codec, marked, recipe)
    return Output(rendition=rendition.name, data=data, width=ready.width, height=ready.height, format=codec.format.name)


def _written(codec: Codec, image: Image, recipe: Recipe) -> bytes:
    """Return the file, by the fastest engine that writes what ``codec`` would."""
    if recipe.engine == "auto" and turbo_encode.supports(codec, image):
        with suppress(turbo_encode.Unable):
            return turbo_encode.encode(codec, image)
    return codec.encode(image)


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
    if image.has_raster:
        return image
    if image.has_alpha and not known.alpha:
        image = flattened(image, background)
    if image.pixels.format != "uchar" and DEEP not in known.depths:
        pixels = image.pixels
        image = image.evolve(pixels=pixels.colourspace("b-w" if pixels.interpretation in ("grey16", "b-w") else "srgb"))
    return image
