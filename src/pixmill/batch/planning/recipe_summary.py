"""Describe each output of a recipe in one sentence: format, size and its origin, colours, metadata."""

from collections.abc import Sequence

from pixmill.core.units import Size, plain
from pixmill.imaging.codec import Codec
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.recipe import DEFAULT_BOX, Box, Recipe, Rendition

#: "at most": a side that is shorter than the box is not enlarged
FITS = {
    "inside": "fit within {}",
    "cover": "cropped to at most {}",
    "contain": "padded to {}",
    "fill": "stretched to at most {}",
    "outside": "scaled to cover {}",
}
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
        same = f"the same pixels, colours and orientation; {METADATA[recipe.metadata]}{_settings(recipe)}"
        return (f"the source's format, in fewer bytes; {same}",)
    groups: dict[tuple[str, str], list[Rendition]] = {}
    for rendition in recipe.renditions:
        groups.setdefault((rendition.name, _steps(recipe, rendition)), []).append(rendition)
    shared = f"{_colours(recipe)}; {METADATA[recipe.metadata]}{_settings(recipe)}"
    sentences = [f"{_formats(members, recipe)}; {steps}" for (_, steps), members in groups.items()]
    if len(sentences) == 1:
        return (f"{sentences[0]}; {shared}",)
    named = [f"{name}: {sentence}" if name else sentence for (name, _), sentence in zip(groups, sentences, strict=True)]
    return (*named, f"each: {shared}")


def _settings(recipe: Recipe) -> str:
    """Return which metadata are set."""
    names = dict.fromkeys(each.name for each in (*recipe.set_if_missing, *recipe.set))
    return f"; sets {', '.join(names)}" if names else ""


def _formats(renditions: Sequence[Rendition], recipe: Recipe) -> str:
    """Return the formats, how large the files may be, and which of them keep animations."""
    return " and ".join(dict.fromkeys(_format(each) + ", animations kept" * _animates(each.encode, recipe) for each in renditions))


def _animates(codec: Codec, recipe: Recipe) -> bool:
    return recipe.keeps_animation(codec) and (codec.follows_source or codec.format.animation)


def _format(rendition: Rendition) -> str:
    """Return the format and quality of an output: *JPEG, quality 85*, or *WebP, lossless* where it could be lossy."""
    codec, most = rendition.encode, rendition.max_size
    limit = "" if most is None else f", at most {most}"
    if rendition.target_quality is not None:
        return f"{codec.format.label}, the lowest quality that scores {rendition.target_quality}{limit}"
    if codec.lossy_quality is None:
        return codec.format.label + (", lossless" if getattr(codec, "lossless", False) else "") + limit
    lowest = f" (quality {rendition.min_quality} and more, then shorter sides)" if most is not None else ""
    choice = ", or lossless where that is smaller" if len(codec.choices(is_lossless=True)) > 1 else ""
    return f"{codec.format.label}, quality {codec.lossy_quality}{choice}{limit}{lowest}"


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
    same = Box(width=step.width, height=step.height, percent=step.percent, area=step.area, fit=step.fit, gravity=step.gravity)
    return step if same == step else None


def _one_size(number: int, sizing: Operation, option: str) -> str:
    step = _as_box(sizing)
    if step is None:
        return f"step {number} ({sizing.text()})"
    origin = "the default box" if step is DEFAULT_BOX else option if isinstance(step, Box) else f"step {number}"
    if step.percent is not None:
        return f"scaled to {plain(step.percent)} % ({origin})"
    if step.area is not None:
        return f"scaled to at most {step.area} ({origin})"
    return f"{FITS[step.fit].format(Size(step.width, step.height))} ({origin})"


def _colours(recipe: Recipe) -> str:
    """Return the colour space and the bit depth of the outputs."""
    conversions = dict.fromkeys(step.text() for step in recipe.all_steps() if step.leaves_working_space)
    space = "sRGB" if recipe.color == "srgb" else "original colours"
    if conversions:
        space = f"colours set by {', '.join(conversions)}"
    is_deep = [rendition.encode.follows_source or HIGH_DEPTH in rendition.encode.format.depths for rendition in recipe.renditions]
    if recipe.depth == "8" or not any(is_deep):
        return f"{space}, 8 bits"
    return f"{space}, up to {HIGH_DEPTH} bits" if all(is_deep) else f"{space}, up to {HIGH_DEPTH} bits where the format allows"
