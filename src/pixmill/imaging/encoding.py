"""From a finished picture to the file of one rendition."""

import msgspec

from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import Kept, attach
from pixmill.imaging.recipe import Recipe, Rendition
from pixmill.imaging.writing import fit


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
    data = codec.encode(ready.evolve(pixels=attach(ready.pixels, kept)))
    return Output(rendition=rendition.name, data=data, width=ready.width, height=ready.height, format=codec.format.name)
