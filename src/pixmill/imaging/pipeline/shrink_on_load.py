"""How far a picture can be shrunk while it is decoded, before its first resize."""

from collections.abc import Sequence

import pyvips

from pixmill.imaging.backends import vector_resize
from pixmill.imaging.header import SIDEWAYS, Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import fields
from pixmill.imaging.operation import Operation
from pixmill.imaging.pixels import premultiplied
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.scaling import Scaling, scale

MAX_IN_MEMORY = 128_000_000  # bytes; a larger picture is streamed through the encoder instead of held in memory
MIN_OVERSAMPLE = 2  # pixels a side for one of the result, so that the last resize still has something to weigh


def step_chains(recipe: Recipe) -> tuple[Sequence[Operation], ...]:
    """Return the rows of steps that begin with the decoded picture: the shared one, or else that of each rendition."""
    return (recipe.shared_steps,) if recipe.shared_steps else tuple(map(recipe.steps_of, recipe.renditions))


def leading_resize(steps: Sequence[Operation]) -> Scaling | None:
    """Return the first of ``steps`` if it begins with a scaling that may come before everything else.

    In linear light it may not: colours come first then.
    """
    return steps[0] if steps and isinstance(steps[0], Scaling) and not steps[0].linear else None


def apply_leading_resize(image: Image, steps: Sequence[Operation], header: Header, recipe: Recipe) -> Image:
    """Return ``image``, still as it is stored, in the size to which the first of ``steps`` brings it, if that is what it does."""
    lead = leading_resize(steps)
    if lead is None:
        return image
    size = stored_size(lead, header)
    if (image.width, image.height) == size:
        return image
    if recipe.engine == "auto" and vector_resize.supports(image, size, kernel=lead.kernel, limit=MAX_IN_MEMORY):
        kept = {**fields.collect(image.pixels, recipe.metadata), **fields.profile(image.pixels)}
        small = vector_resize.resized(image, size, kernel=lead.kernel)
        return small.evolve(pixels=fields.attach(small.pixels, kept))
    return scale(image, size, kernel=lead.kernel)


def stored_size(lead: Scaling, header: Header) -> tuple[int, int]:
    """Return the size to which ``lead`` scales the picture as it is stored, which may be lying on its side."""
    width, height = lead.target(header.upright)
    return (height, width) if header.orientation in SIDEWAYS else (width, height)


def shrink_factor(steps: Sequence[Operation], header: Header) -> float:
    """Return by how much smaller the picture may be decoded for ``steps``."""
    lead = leading_resize(steps)
    if lead is None or lead.kernel == "nearest":
        return 1.0
    width, height = stored_size(lead, header)
    return max(1.0, min(header.width / width, header.height / height))


def box_shrunk(image: Image, factor: int) -> Image:
    """Return ``image`` with each square of ``factor`` pixels averaged."""
    if factor < MIN_OVERSAMPLE:
        return image

    def boxed(pixels: pyvips.Image) -> pyvips.Image:
        return pixels.shrink(factor, factor)

    return image.map(lambda pixels: premultiplied(pixels, boxed))
