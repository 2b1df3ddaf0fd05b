"""Examine an existing file that may serve as an output: it must be complete and have the format and size of that output."""

import msgspec

from pixmill.core.errors import TransformError
from pixmill.imaging.geometry.sizes import Size
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.pipeline.decode import decode
from pixmill.imaging.pipeline.decode_plan import plan_decode
from pixmill.imaging.pipeline.identify import read_header
from pixmill.imaging.recipe import Recipe, Rendition

TOLERANCE = 1  # pixels per side, by which another program may round differently


class ExistingOutput(msgspec.Struct, frozen=True):
    """The size of an existing file in pixels, and the name of its format."""

    width: int
    height: int
    format: str


def examine(existing: Input, source: Header, rendition: Rendition, recipe: Recipe) -> ExistingOutput | None:
    """Return the facts of ``existing``; ``None`` if its format or size is not what ``rendition`` makes from ``source``.

    Decodes all of it. Raises what decoding a damaged file raises. The size is not compared if a step decides it by the pixels.
    """
    plain = Recipe(steps=(), limits=recipe.limits)
    header = read_header(existing, plain)
    wanted = rendition.encode.for_source(source.format).format
    if header.format.name != wanted.name or not _fits(header.upright, _size_of(source, rendition, recipe)):
        return None
    decode(existing, plan_decode(existing, header, plain)).pixels.avg()
    return ExistingOutput(*header.upright, wanted.name)


def _size_of(source: Header, rendition: Rendition, recipe: Recipe) -> Size | None:
    """Return the size that ``rendition`` makes from ``source``; ``None`` if that is known only from the pixels."""
    size: Size | None = source.upright
    try:
        for step in (*recipe.shared_steps, *recipe.steps_of(rendition)):
            size = None if size is None else step.size_after(size)
    except TransformError:
        return None
    return size


def _fits(size: Size, expected: Size | None) -> bool:
    return expected is None or all(abs(one - two) <= TOLERANCE for one, two in zip(size, expected, strict=True))
