"""Determine how far an image can be shrunk during decoding, and apply the leading resize."""

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

MAX_IN_MEMORY = 128_000_000  # bytes; a larger image is streamed through the encoder instead of kept in memory
MIN_OVERSAMPLE = 2  # decoded pixels per output pixel and side, so that the final resize has enough to interpolate


def step_chains(recipe: Recipe) -> tuple[Sequence[Operation], ...]:
    """Return the chains of steps that start from the decoded image: the shared one, or else one per rendition."""
    return (recipe.shared_steps,) if recipe.shared_steps else tuple(map(recipe.steps_of, recipe.renditions))


def leading_resize(steps: Sequence[Operation]) -> Scaling | None:
    """Return the first of ``steps`` if it is a scaling that may run before colour management.

    In linear light it may not, because colour management must come first.
    """
    return steps[0] if steps and isinstance(steps[0], Scaling) and not steps[0].linear else None


def apply_leading_resize(image: Image, steps: Sequence[Operation], header: Header, recipe: Recipe) -> Image:
    """Return ``image``, in its stored orientation, scaled by the leading resize of ``steps`` if there is one."""
    leading = leading_resize(steps)
    if leading is None:
        return image
    size = stored_size(leading, header)
    if (image.width, image.height) == size:
        return image
    if recipe.engine == "auto" and vector_resize.supports(image, size, kernel=leading.kernel, limit=MAX_IN_MEMORY):
        metadata = {**fields.collect(image.pixels, recipe.metadata), **fields.profile(image.pixels)}
        resized = vector_resize.resized(image, size, kernel=leading.kernel)
        return resized.evolve(pixels=fields.attach(resized.pixels, metadata))
    return scale(image, size, kernel=leading.kernel)


def stored_size(leading: Scaling, header: Header) -> tuple[int, int]:
    """Return the size to which ``leading`` scales the image in its stored orientation."""
    width, height = leading.target(header.upright)
    return (height, width) if header.orientation in SIDEWAYS else (width, height)


def shrink_factor(steps: Sequence[Operation], header: Header) -> float:
    """Return the largest factor by which the image may be shrunk during decoding for ``steps``."""
    leading = leading_resize(steps)
    if leading is None or leading.kernel == "nearest":
        return 1.0
    width, height = stored_size(leading, header)
    return max(1.0, min(header.width / width, header.height / height))


def box_shrunk(image: Image, factor: int) -> Image:
    """Return ``image`` with each square of ``factor`` x ``factor`` pixels averaged."""
    if factor < MIN_OVERSAMPLE:
        return image

    def boxed(pixels: pyvips.Image) -> pyvips.Image:
        return pixels.shrink(factor, factor)

    return image.map(lambda pixels: premultiplied(pixels, boxed))
