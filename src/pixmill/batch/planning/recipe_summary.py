"""What a recipe makes, in a sentence for each of its outputs: format, size and where that comes from, colours, metadata."""

from collections.abc import Iterator, Sequence

from pixmill.core.units import Size, plain
from pixmill.imaging.codec import Codec
from pixmill.imaging.operation import Operation
from pixmill.imaging.recipe import DEFAULT_BOX, Box, Recipe, Rendition

FITS = {"inside": "fitted into", "cover": "cut to", "contain": "padded to", "fill": "stretched to"}
METADATA = {
    "strip": "no metadata",
    "copyright": "metadata: only copyright",
    "keep": "all metadata",
    "no-gps": "all metadata but the place",
}
DEEP = 16  # bits


def recipe_summary(recipe: Recipe) -> tuple[str, ...]:
    """Return one sentence where all outputs differ in nothing but their format, else one for each and one for what they share."""
    groups: dict[tuple[str, str], list[Codec]] = {}
    for rendition in recipe.renditions:
        groups.setdefault((rendition.name, _steps(recipe, rendition)), []).append(rendition.encode)
    shared = f"{_colours(recipe)}; {METADATA[recipe.metadata]}"
    sentences = [f"{_formats(codecs)}; {steps}" for (_, steps), codecs in groups.items()]
    if len(sentences) == 1:
        return (f"{sentences[0]}; {shared}",)
    named = [f"{name}: {said}" if name else said for (name, _), said in zip(groups, sentences, strict=True)]
    return (*named, f"each: {shared}")


def _formats(codecs: Sequence[Codec]) -> str:
    return " and ".join(dict.fromkeys(map(_format, codecs)))


def _format(codec: Codec) -> str:
    """Return what a codec writes: *JPEG, quality 85*."""
    quality = "" if codec.lossy_quality is None else f", quality {codec.lossy_quality}"
    return codec.format.label + quality


def _steps(recipe: Recipe, rendition: Rendition) -> str:
    """Return the size, where it comes from, and what else is done to the picture."""
    steps = (*recipe.steps, *rendition.steps)
    sizing = [(number, step) for number, step in enumerate(steps, start=1) if step.sets_size]
    others = [step.text() for step in steps if not step.sets_size]
    option = "--sizes" if any(isinstance(step, Box) for step in rendition.steps) else "--size"
    return "; ".join([_size(sizing, option), *([f"then {', '.join(others)}"] if others else [])])


def _size(sizing: Sequence[tuple[int, Operation]], option: str) -> str:
    """Return what the steps with these numbers make of the size: *fitted into 1920x1920 (the default box)*."""
    if not sizing:
        return "size as it is"
    said = ", then ".join(_one_size(number, step, option) for number, step in sizing)
    return said if isinstance(sizing[0][1], Box) else f"size by {said}"


def _one_size(number: int, step: Operation, option: str) -> str:
    if not isinstance(step, Box):
        return f"step {number} ({step.text()})"
    origin = "the default box" if step is DEFAULT_BOX else option
    if step.percent is not None:
        return f"scaled to {plain(step.percent)} % ({origin})"
    return f"{FITS[step.fit]} {Size(step.width, step.height)} ({origin})"


def _colours(recipe: Recipe) -> str:
    """Return the space and the depth of the outputs."""
    away = dict.fromkeys(step.text() for step in _all_steps(recipe) if step.leaves_working_space)
    space = "sRGB" if recipe.color == "srgb" else "colours as they are"
    if away:
        space = f"colours by {', '.join(away)}"
    deep = [rendition.encode.follows_source or DEEP in rendition.encode.format.depths for rendition in recipe.renditions]
    if recipe.depth == "8" or not any(deep):
        return f"{space}, 8 bits"
    return f"{space}, up to {DEEP} bits" if all(deep) else f"{space}, up to {DEEP} bits where the format has them"


def _all_steps(recipe: Recipe) -> Iterator[Operation]:
    yield from recipe.steps
    for rendition in recipe.renditions:
        yield from rendition.steps
