"""The few words that say most of what people want to make: ``--size 800x600 --format webp --quality 80``."""

from typing import Annotated, Literal

from msgspec import Meta, structs

from pixmill.core.errors import RecipeError
from pixmill.core.model import Model, fields
from pixmill.core.units import Size
from pixmill.imaging.codec import Codec
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.recipe import DEFAULT_BOX, Box, Recipe, Rendition, sets_size, without_default_box


class Shorthand(Model, frozen=True, kw_only=True):
    """Short forms of parts of a recipe. What is not given stays as the recipe has it."""

    size: Annotated[
        Size | None,
        Meta(
            description="box to fit into, such as 800x600, 800x or x600; or a part, such as 50%; or keep, as --no-size "
            f"(default: {Size(DEFAULT_BOX.width, DEFAULT_BOX.height)}, unless a step resizes, crops, pads or trims)",
            extra={"no": Size().to_builtin()},
        ),
    ] = None
    sizes: Annotated[
        tuple[Annotated[int, Meta(ge=1)], ...], Meta(description="widths to make from each image, such as 320,640,1280")
    ] = ()
    fit: Annotated[Literal["inside", "cover", "contain", "fill"] | None, Meta(description="how the picture fits the box")] = None
    step: Annotated[tuple[Operation, ...], Meta(description="further step, NAME:key=value,... (repeatable, in order)")] = ()
    format: Annotated[
        Codec | None,
        Meta(description="format of the output: jpeg, png, webp, avif, ..., or an extension of it; keep; options follow a colon"),
    ] = None
    formats: Annotated[tuple[Codec, ...], Meta(description="formats to make from each image, such as webp,jpeg")] = ()
    quality: Annotated[int | None, Meta(ge=1, le=100, description="quality of a lossy format")] = None
    effort: Annotated[
        Literal["fast", "default", "best"] | None, Meta(description="time the encoder may spend on smaller files")
    ] = None

    def __post_init__(self) -> None:
        """Refuse a fit where there is no box to be fitted."""
        super().__post_init__()
        if self.size is not None and self.fit is not None and not self.size.is_box:
            raise RecipeError(f"fit: there is no box to fit when the size is {self.size}", hint="leave out --fit, or --size")

    @property
    def _keeps_size(self) -> bool:
        return self.size is not None and not self.size.is_box and self.size.percent is None

    def apply(self, recipe: Recipe) -> Recipe:
        """Return ``recipe`` with what was given put in its place."""
        renditions = tuple(self._encoded(rendition) for rendition in self._renditions(recipe))
        return recipe.evolve(steps=(*self._resized(recipe.steps), *self.step), renditions=renditions)

    def _resized(self, steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """Change the recipe's resize, or put one first; ``--sizes`` resizes in the renditions instead."""
        if self.sizes or self._keeps_size:
            return tuple(step for step in steps if not isinstance(step, Resize))
        if self.size is None and self.fit is None:
            return steps
        if self.size is None and not any(isinstance(step, Resize) for step in self._asked(steps)):
            raise RecipeError("fit: there is no box to fit", hint="say which, such as --size 800x600")
        changes: dict[str, object] = {}
        if self.size is not None:
            changes = {"width": self.size.width, "height": self.size.height, "percent": self.size.percent}
        if self.fit is not None:
            changes["fit"] = self.fit
        if not any(isinstance(step, Resize) for step in steps):
            return (Box.from_builtins(changes), *steps)
        return tuple(_changed(step, changes) if isinstance(step, Resize) else step for step in steps)

    def _asked(self, steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """Return the ``steps`` of the recipe without the box that a step of the options makes stand back."""
        return without_default_box(steps) if sets_size(self.step) else steps

    def _renditions(self, recipe: Recipe) -> tuple[Rendition, ...]:
        if not self.sizes and not self.formats:
            if not self._keeps_size:
                return recipe.renditions
            return tuple(rendition.evolve(steps=without_default_box(rendition.steps)) for rendition in recipe.renditions)
        if len(recipe.renditions) > 1:
            raise RecipeError(
                "sizes: the recipe has renditions of its own", hint="leave out --sizes and --formats, or the recipe's renditions"
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

    def _encoded(self, rendition: Rendition) -> Rendition:
        codec = self.format if self.format is not None and not self.formats else rendition.encode
        declared = {field.name for field in fields(type(codec))}
        wanted = {"quality": self.quality, "effort": self.effort}
        changes = {name: value for name, value in wanted.items() if value is not None}
        unknown = [name for name in changes if name not in declared]
        if unknown and not self.formats:
            raise RecipeError(f"{codec.label()}.{unknown[0]}: this format has no such setting")
        known = {name: value for name, value in changes.items() if name in declared}
        return rendition.evolve(encode=codec.evolve(**known)) if known else rendition.evolve(encode=codec)


def _changed(step: Resize, changes: dict[str, object]) -> Box:
    return Box(**{**structs.asdict(step), **changes})
