"""Put what the metadata of a source say into the steps that have variables, before anything is decoded."""

from collections.abc import Mapping, Sequence

from pixmill.imaging.formats import codec_for
from pixmill.imaging.header import Header
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.values import values_in
from pixmill.imaging.operation import Operation
from pixmill.imaging.pipeline import output_metadata
from pixmill.imaging.recipe import Recipe


def with_values(recipe: Recipe, source: Input, header: Header) -> Recipe:
    """Return ``recipe`` with the values of ``source`` in its steps; itself if no step has variables."""
    steps = [*recipe.steps, *(step for rendition in recipe.renditions for step in rendition.steps)]
    if not any(step.variables for step in steps):
        return recipe
    values = values_in(output_metadata.read(source, header), codec_for(header.format).exif(source))
    renditions = tuple(rendition.evolve(steps=_filled(rendition.steps, values)) for rendition in recipe.renditions)
    return recipe.evolve(steps=_filled(recipe.steps, values), renditions=renditions)


def _filled(steps: Sequence[Operation], values: Mapping[str, str]) -> tuple[Operation, ...]:
    return tuple(step.with_values(values) if step.variables else step for step in steps)
