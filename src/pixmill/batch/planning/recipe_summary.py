"""Describe each output of a recipe in one sentence: format, size and its origin, colours, metadata."""

from collections.abc import Iterator, Sequence

from pixmill.core.units import Size, plain
from pixmill.imaging.codec import Codec
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.recipe import DEFAULT_BOX, Box, Recipe, Rendition

#: "at most": a side that is shorter than the box is not enlarged
FITS = {"inside": "fit within {}", "cover": "cropped to at most {}", "contain": "padded to {}", "fill": "stretched to at most {}"}
METADATA = {
    "strip": "no metadata",
    "copyright": "metadata: only credits",
    "keep": "all metadata",
    "no-gps": "all metadata except GPS",
}
HIGH_DEPTH = 16  # bits


def recipe_summary(recipe: Recipe) -> tuple[str, ...]:
    """Return one sentence if the outputs differ only in format, otherwise one for each and one for what they share."""
    if recipe.lossless:
        return (f"the source's format, in fewer bytes; the same pixels, colours and orientation; {METADATA[recipe.metadata]}",)
    groups: dict[tuple[str, str], list[Codec]] = {}
    for rendition in recipe.renditions:
        groups.setdefault((rendition.name, _steps(recipe, rendition)), []).append(rendition.encode)
    shared = f"{_colours(recipe)}; {METADATA[recipe.metadata]}"
    sentences = [f"{_formats(codecs, recipe)}; {steps}" for (_, steps), codecs in groups.items()]
    if len(sentences) == 1:
        return (f"{sentences[0]}; {shared}",)
    named = [f"{name}: {sentence}" if name else sentence for (name, _), sentence in zip(groups, sentences, strict=True)]
    return (*named, f"each: {shared}")


def _formats(codecs: Sequence[Codec], recipe: Recipe) -> str:
    """Return the formats, and which of them keep animations."""
    animated = [codec for codec in codecs if recipe.keeps_animation(codec) and (codec.follows_source or codec.format.animation)]
    return " and ".join(dict.fromkeys(_format(codec) + ", animations kept" * (codec in animated) for codec in codecs))


def _format(codec: Codec) -> str:
    """Return the format and quality that a codec writes: *JPEG, quality 85*, or *WebP, lossless* where it could be lossy."""
    if codec.lossy_quality is not None:
        choice = ", or lossless where that is smaller" if len(codec.choices(is_lossless=True)) > 1 else ""
        return f"{codec.format.label}, quality {codec.lossy_quality}{choice}"
    return codec.format.label + (", lossless" if getattr(codec, "lossless", False) else "")


def _steps(recipe: Recipe, rendition: Rendition) -> str:
    """Return the size, its origin, and the other steps."""
    steps = (*recipe.steps, *rendition.steps)
    sizing = [(number, step) for number, step in enumerate(steps, start=1) if step.sets_size]
    others = [step.text() for step in steps if not step.sets_size]
    option = "--sizes" if any(isinstance(step, Box) for step in rendition.steps) else "--size"
    return "; ".join([_size(sizing, option), *([f"then {', '.join(others)}"] if others else [])])


def _size(sizing: Sequence[tuple[int, Operation]], option: str) -> str:
    """Return the size that results from these numbered steps: *fit within 1920x1920 (the default box)*."""
    if not sizing:
        return "original size"
    sizes = ", then ".join(_one_size(number, step, option) for number, step in sizing)
    return sizes if _as_box(sizing[0][1]) else f"size set by {sizes}"


def _as_box(step: Operation) -> Resize | None:
    """Return ``step`` if it does no more than an option can: also in the record of a run, which does not tell them apart."""
    if isinstance(step, Box) or not isinstance(step, Resize):
        return step if isinstance(step, Box) else None
    same = Box(width=step.width, height=step.height, percent=step.percent, fit=step.fit, gravity=step.gravity)
    return step if same == step else None


def _one_size(number: int, sizing: Operation, option: str) -> str:
    step = _as_box(sizing)
    if step is None:
        return f"step {number} ({sizing.text()})"
    origin = "the default box" if step is DEFAULT_BOX else option if isinstance(step, Box) else f"step {number}"
    if step.percent is not None:
        return f"scaled to {plain(step.percent)} % ({origin})"
    return f"{FITS[step.fit].format(Size(step.width, step.height))} ({origin})"


def _colours(recipe: Recipe) -> str:
    """Return the colour space and the bit depth of the outputs."""
    conversions = dict.fromkeys(step.text() for step in _all_steps(recipe) if step.leaves_working_space)
    space = "sRGB" if recipe.color == "srgb" else "original colours"
    if conversions:
        space = f"colours set by {', '.join(conversions)}"
    is_deep = [rendition.encode.follows_source or HIGH_DEPTH in rendition.encode.format.depths for rendition in recipe.renditions]
    if recipe.depth == "8" or not any(is_deep):
        return f"{space}, 8 bits"
    return f"{space}, up to {HIGH_DEPTH} bits" if all(is_deep) else f"{space}, up to {HIGH_DEPTH} bits where the format allows"


def _all_steps(recipe: Recipe) -> Iterator[Operation]:
    yield from recipe.steps
    for rendition in recipe.renditions:
        yield from rendition.steps
