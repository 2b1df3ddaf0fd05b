"""``Intermediate``: an image between decoding and encoding, and the steps applied to it."""

from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.orientation import autorotated
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline.shrink_on_load import apply_leading_resize, leading_resize
from pixmill.imaging.recipe import Recipe


class Intermediate(NamedTuple):
    """An image as decoded, or ``is_colour_managed``: upright and in the working colour space. ``notes`` as in ``Result``."""

    image: Image
    is_colour_managed: bool = False
    notes: tuple[str, ...] = ()


def apply_steps(intermediate: Intermediate, steps: Sequence[Operation], header: Header, recipe: Recipe) -> Intermediate:
    """Return ``intermediate`` after ``steps``, colour-managed.

    A leading resize scales the image as decoded, which is the least work, and finishes (crops, pads) after colour management.
    """
    if intermediate.is_colour_managed:
        return intermediate._replace(image=_apply_all(intermediate.image, steps))
    image = autorotated(apply_leading_resize(intermediate.image, steps, header, recipe), header.orientation)
    image, notes = to_working_space(image, space=recipe.color, depth=recipe.depth)
    if leading := leading_resize(steps):
        image, steps = leading.finish(image), steps[1:]
    return Intermediate(_apply_all(image, steps), is_colour_managed=True, notes=(*intermediate.notes, *notes))


def _apply_all(image: Image, steps: Sequence[Operation]) -> Image:
    for step in steps:
        image = step.apply(image)
    return image
