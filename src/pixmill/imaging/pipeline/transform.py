"""``Draft``: a picture on its way through the steps, and how it gets on."""

from collections.abc import Sequence
from typing import NamedTuple

from pixmill.imaging.colour.management import to_working_space
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.orientation import autorotated
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline.shrink_on_load import apply_leading_resize, leading_resize
from pixmill.imaging.recipe import Recipe


class Draft(NamedTuple):
    """A picture: as a decoder gave it, or ``developed``, which is upright and in the working space. ``notes`` as in ``Result``."""

    image: Image
    developed: bool = False
    notes: tuple[str, ...] = ()


def apply_steps(draft: Draft, steps: Sequence[Operation], header: Header, recipe: Recipe) -> Draft:
    """Return ``draft`` after ``steps``, developed.

    A resize that comes first scales the picture as it was decoded, which is the least work, and finishes (cuts, pads) once it
    is developed.
    """
    if draft.developed:
        return draft._replace(image=_done(draft.image, steps))
    image = autorotated(apply_leading_resize(draft.image, steps, header, recipe), header.orientation)
    image, notes = to_working_space(image, space=recipe.color, depth=recipe.depth)
    if lead := leading_resize(steps):
        image, steps = lead.finish(image), steps[1:]
    return Draft(_done(image, steps), developed=True, notes=(*draft.notes, *notes))


def _done(image: Image, steps: Sequence[Operation]) -> Image:
    for step in steps:
        image = step.apply(image)
    return image
