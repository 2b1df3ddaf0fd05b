"""From a finished picture to the file of one rendition."""

from contextlib import suppress

import msgspec

from pixmill.imaging.backends.vips_save import fit
from pixmill.imaging.codec import Codec
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import Kept, attach
from pixmill.imaging.pipeline import turbo_encode
from pixmill.imaging.recipe import Recipe, Rendition


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
    marked = ready.evolve(pixels=attach(ready.pixels, kept)) if kept or not ready.is_bare else ready
    data = _written(codec, marked, recipe)
    return Output(rendition=rendition.name, data=data, width=ready.width, height=ready.height, format=codec.format.name)


def _written(codec: Codec, image: Image, recipe: Recipe) -> bytes:
    """Return the file, by the fastest engine that writes what ``codec`` would."""
    if recipe.engine == "auto" and turbo_encode.can(codec, image):
        with suppress(turbo_encode.Unable):
            return turbo_encode.encode(codec, image)
    return codec.encode(image)
