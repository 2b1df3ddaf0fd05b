"""Encode the transformed image as the file of one rendition."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from pixmill.core.errors import EncodeError
from pixmill.imaging.codec import Codec
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import flattened
from pixmill.imaging.depth import in_bytes
from pixmill.imaging.format import Format
from pixmill.imaging.image import Image
from pixmill.imaging.pipeline import turbo_encode
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.traits.traits import Traits

HIGH_BIT_DEPTH = 16


class EncodedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """One encoded file. ``format`` is the format's name; ``width`` and ``height`` are those of one frame, in pixels.

    ``traits`` are those of its picture, if they are wanted. ``columns`` are those that steps have added. ``score``: what it scores
    by SSIMULACRA 2, 100 at best, if its quality was searched for a score.
    """

    rendition: str
    data: bytes
    width: int
    height: int
    format: str
    traits: Traits | None = None
    columns: Mapping[str, Any] = {}  # a default of a frozen struct
    score: float | None = None


def encode(image: Image, codec: Codec, recipe: Recipe, *, rendition: str = "", is_lossless: bool = False) -> EncodedOutput:
    """Return ``image`` encoded by ``codec``, without metadata but a profile, as the output named ``rendition``.

    ``is_lossless``: the source has lost no detail, so that a codec that may choose tries to lose none either.
    """
    fitted = fit(codec.prepared(image), codec.format, recipe.background)
    files = [_encode_fastest(each, fitted, recipe) for each in codec.choices(is_lossless=is_lossless)]
    data = min(files, key=len)
    return EncodedOutput(rendition=rendition, data=data, width=fitted.width, height=fitted.height, format=codec.format.name)


def _encode_fastest(codec: Codec, image: Image, recipe: Recipe) -> bytes:
    """Return the file, from the fastest engine that writes the same as ``codec``."""
    if recipe.engine == "auto" and turbo_encode.supports(codec, image):
        with suppress(turbo_encode.NotHandled):
            return turbo_encode.encode(codec, image)
    return codec.encode(image)


def fit(image: Image, file_format: Format, background: Colour) -> Image:
    """Return ``image`` adapted to ``file_format``: a single frame, opaque on ``background``, or 8 bits, where required.

    Raise ``EncodeError``, with the numbers, if a side is too long for the format.
    """
    if image.frames > 1 and not file_format.animation:
        image = Image(image.frame(0))
    longest = max(image.width, image.height)
    if longest > file_format.max_side:
        size = f"{image.width:,} x {image.height:,}"
        message = f"{size} pixels: {file_format.label} allows at most {file_format.max_side:,} pixels per side"
        raise EncodeError(message, hint="add a resize, or choose another format", code="too-large")
    if image.has_raster:
        return image
    if image.has_alpha and not file_format.alpha:
        image = flattened(image, background)
    if image.pixels.format != "uchar" and HIGH_BIT_DEPTH not in file_format.depths:
        image = image.evolve(pixels=in_bytes(image.pixels))
    return image
