"""Short options for the most common recipes: ``--size 800x600 --format webp --quality 80``."""

from typing import Annotated

from msgspec import Meta, structs

from pixmill.batch.config.presets import Preset
from pixmill.core.errors import RecipeError
from pixmill.core.model import Model, fields
from pixmill.core.units import Size
from pixmill.imaging.codec import Codec, Effort
from pixmill.imaging.geometry.sizes import FIT_WORDS, Fit
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.recipe import (
    DEFAULT_BOX,
    WITHOUT_LOSSLESS,
    Box,
    MaxSize,
    MinQuality,
    Recipe,
    Rendition,
    TargetQuality,
    sets_size,
    without_default_box,
)


class Shorthand(Model, frozen=True, kw_only=True):
    """Short forms of parts of a recipe. Parts that are not given keep the values of the recipe."""

    preset: Annotated[
        Preset | None,
        Meta(description="start from this recipe instead of the default one; other options change it; see pixmill explain presets"),
    ] = None
    size: Annotated[
        Size | None,
        Meta(
            description="box to fit into, such as 800x600, 800x or x600; a percentage, such as 50%; a number of pixels, such as "
            "2MP; or keep, same as --no-size "
            f"(default: {Size(DEFAULT_BOX.width, DEFAULT_BOX.height)}, unless a step resizes, crops, pads or trims)",
            extra={"no": Size().to_builtin(), "letter": "s"},
        ),
    ] = None
    sizes: Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...], Meta(description="widths to produce from each image, such as 320,640,1280")
    ] = ()
    fit: Annotated[Fit | None, Meta(description="how to fit the image into the box", extra=FIT_WORDS)] = None
    step: Annotated[tuple[Operation, ...], Meta(description="additional step, NAME:key=value,... (repeatable, in order)")] = ()
    format: Annotated[
        Codec | None,
        Meta(
            description="output format or its extension: jpeg, png, webp, avif, ..., or keep; settings follow a colon",
            extra={"letter": "f"},
        ),
    ] = None
    formats: Annotated[tuple[Codec, ...], Meta(description="formats to produce from each image, such as webp,jpeg")] = ()
    quality: Annotated[
        int | None, Meta(description="quality of lossy formats, on the scale of each format", extra={"letter": "q"})
    ] = None
    effort: Effort | None = None
    max_size: MaxSize | None = None
    min_quality: MinQuality | None = None
    target_quality: TargetQuality | None = None

    def __post_init__(self) -> None:
        """Raise ``RecipeError`` for a fit without a box, or a quality beside a target for it."""
        super().__post_init__()
        if self.target_quality is not None and self.quality is not None:
            message = f"target_quality: the quality is searched for, received quality {self.quality} as well"
            raise RecipeError(message, hint="omit --quality or --target-quality")
        if self.size is not None and self.fit is not None and not self.size.is_box:
            raise RecipeError(f"fit: requires a box, but the size is {self.size}", hint="omit --fit or --size")

    @property
    def _keeps_size(self) -> bool:
        return self.size == Size()

    def apply(self, recipe: Recipe) -> Recipe:
        """Return ``recipe`` with the given values applied."""
        if recipe.lossless and self.fit is not None:
            raise RecipeError(f"lossless: the fit {self.fit} changes pixels", hint=f"omit --fit, or {WITHOUT_LOSSLESS}")
        renditions = tuple(self._limited(self._encoded(rendition)) for rendition in self._renditions(recipe))
        if self.target_quality is not None:
            renditions = self._targeted(renditions)
        if self.min_quality is not None and all(each.max_size is None for each in renditions):
            raise RecipeError("min_quality: requires a maximum size", hint="add it, such as --max-size 500kB")
        return recipe.evolve(steps=(*self._resized(recipe.steps), *self.step), renditions=renditions)

    def _resized(self, steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """Change the recipe's resize, or insert one at the front; ``--sizes`` resizes in the renditions instead."""
        if self.sizes or self._keeps_size:
            return tuple(step for step in steps if not isinstance(step, Resize))
        if self.size is None and self.fit is None:
            return steps
        if self.size is None and not any(isinstance(step, Resize) for step in self._without_replaced_box(steps)):
            raise RecipeError("fit: requires a box", hint="add a size, such as --size 800x600")
        changes: dict[str, object] = {}
        if self.size is not None:
            changes = {name: getattr(self.size, name) for name in ("width", "height", "percent", "area")}
        if self.fit is not None:
            changes["fit"] = self.fit
        if not any(isinstance(step, Resize) for step in steps):
            return (Box.from_builtins(changes), *steps)
        return tuple(_changed(step, changes) if isinstance(step, Resize) else step for step in steps)

    def _without_replaced_box(self, steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """Return the ``steps`` of the recipe, without the default box if a ``--step`` sets the size instead."""
        return without_default_box(steps) if sets_size(self.step) else steps

    def _renditions(self, recipe: Recipe) -> tuple[Rendition, ...]:
        if not self.sizes and not self.formats:
            if not self._keeps_size:
                return recipe.renditions
            return tuple(rendition.evolve(steps=without_default_box(rendition.steps)) for rendition in recipe.renditions)
        if len(recipe.renditions) > 1:
            raise RecipeError(
                "sizes: the recipe already defines renditions", hint="omit --sizes and --formats, or the renditions of the recipe"
            )
        only = recipe.renditions[0]
        codecs = self.formats or (self.format or only.encode,)
        if not self.sizes:
            return tuple(only.evolve(encode=codec) for codec in codecs)
        fit = {} if self.fit is None else {"fit": self.fit}
        return tuple(
            only.evolve(name=str(width), steps=(Box.from_builtins({"width": width, **fit}), *only.steps), encode=codec)
            for width in self.sizes
            for codec in codecs
        )

    def _limited(self, rendition: Rendition) -> Rendition:
        limits = {"max_size": self.max_size, "min_quality": self.min_quality}
        changes = {name: value for name, value in limits.items() if value is not None}
        return rendition.evolve(**changes) if changes else rendition

    def _targeted(self, renditions: tuple[Rendition, ...]) -> tuple[Rendition, ...]:
        """Set the target of all renditions that can have one, in place of a quality of the recipe; ``RecipeError`` if none can."""
        is_given = self.format is not None or bool(self.formats)
        can = [rendition.encode.has_searched_quality for rendition in renditions]
        return tuple(
            rendition.evolve(
                target_quality=self.target_quality,
                encode=rendition.encode if is_given or not searched else rendition.encode.with_default_quality(),
            )
            if searched or not any(can)
            else rendition
            for rendition, searched in zip(renditions, can, strict=True)
        )

    def _encoded(self, rendition: Rendition) -> Rendition:
        codec = self.format if self.format is not None and not self.formats else rendition.encode
        declared = {field.name for field in fields(type(codec))}
        settings = {"quality": self.quality, "effort": self.effort}
        changes = {name: value for name, value in settings.items() if value is not None}
        unknown = [name for name in changes if name not in declared]
        if unknown and not self.formats:
            message = f"{codec.label()}.{unknown[0]}: this format has no such setting"
            raise RecipeError(message, hint=f"{codec.label()} has {', '.join(sorted(declared)) or 'no settings'}")
        supported = {name: value for name, value in changes.items() if name in declared}
        if self.quality is not None and rendition.target_quality is not None:
            rendition = rendition.evolve(target_quality=None)
        return rendition.evolve(encode=codec.evolve(**supported)) if supported else rendition.evolve(encode=codec)


def _changed(step: Resize, changes: dict[str, object]) -> Box:
    return Box(**{**structs.asdict(step), **changes})
