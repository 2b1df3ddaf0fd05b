"""``Recipe``: what to make of each image. ``Rendition``: one output of it."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from msgspec import Meta, structs
from msgspec.structs import force_setattr

from pixmill.core.errors import ConfigError, RecipeError
from pixmill.core.model import Model
from pixmill.imaging.codec import Codec
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.colour.management import Depth, Space
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.limits import Limits
from pixmill.imaging.metadata.fields import Policy
from pixmill.imaging.operation import Operation
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.scaling import Scaling

WHITE = Colour(255, 255, 255)


class Box(Resize, frozen=True, kw_only=True, tag="resize"):
    """A resize that no step asked for: that of an option such as ``--size``, or ``DEFAULT_BOX``. In all else a ``Resize``."""

    @property
    def step(self) -> Resize:
        """Return the step that does the same."""
        return Resize(**structs.asdict(self))

    def __eq__(self, other: object) -> bool:
        """Compare by what is done."""
        return self.step == (other.step if isinstance(other, Box) else other)

    def __hash__(self) -> int:
        """Hash by what is done."""
        return hash(self.step)


#: Known by identity: a step that says the same was asked for.
DEFAULT_BOX = Box(width=1920, height=1920)
DEFAULT_STEPS: tuple[Operation, ...] = (DEFAULT_BOX,)


class Rendition(Model, frozen=True, kw_only=True):
    """One output: further steps after the recipe's, an encoder, and a name that tells it from the others."""

    error: ClassVar = RecipeError

    name: Annotated[str, Meta(description="what tells this output from the others, in its file name")] = ""
    steps: Annotated[tuple[Operation, ...], Meta(description="steps after those of the recipe")] = ()
    encode: Annotated[Codec, Meta(description="format of the output, with its options")] = Jpeg()  # immutable


class Recipe(Model, frozen=True, kw_only=True):
    """What to make of each image: steps that every output shares, then one or several renditions from one decode.

    ``steps`` left out fits pictures inside 1920x1920, but for renditions with a step that resizes, crops, pads or trims; an
    empty list leaves the size.
    """

    error: ClassVar = RecipeError

    steps: Annotated[tuple[Operation, ...], Meta(description="steps that every output shares, in order")] = DEFAULT_STEPS
    renditions: Annotated[tuple[Rendition, ...], Meta(description="the outputs")] = (Rendition(),)
    background: Annotated[Colour, Meta(description="colour below transparency, where the format has none")] = WHITE
    color: Annotated[Space, Meta(description="srgb converts every picture; keep embeds its own profile")] = "srgb"
    depth: Annotated[Depth, Meta(description="8 bits a channel, or keep 16 where source and format have them")] = "8"
    animated: Annotated[Literal["first", "keep"], Meta(description="the first frame, or all where the format can")] = "first"
    metadata: Annotated[Policy, Meta(description="what an output says about its picture")] = "copyright"
    linear: Annotated[bool, Meta(description="resize in linear light")] = False
    engine: Annotated[Literal["auto", "vips"], Meta(description="auto takes the fast path for JPEG; vips never does")] = "auto"
    allow_truncated: Annotated[bool, Meta(description="take what there is of a file that is cut off")] = False
    never_bigger: Annotated[bool, Meta(description="copy the source where the result is larger and nothing else changed")] = False
    allow: Annotated[tuple[Literal["svg"], ...], Meta(description="read formats that are refused by default: svg")] = ()
    limits: Annotated[Limits, Meta(description="the most that a source may ask of the machine")] = Limits()  # immutable

    def __post_init__(self) -> None:
        """See to it that there is something to make, and let the default box stand back where a step sets the size."""
        super().__post_init__()
        if not self.renditions:
            raise RecipeError("recipe.renditions: expected at least one, received none")
        steps, renditions = _with_box_settled(self.steps, self.renditions)
        force_setattr(self, "steps", steps)
        force_setattr(self, "renditions", renditions)

    def steps_of(self, rendition: Rendition) -> tuple[Operation, ...]:
        """Return the steps of ``rendition`` after the shared ones, as they are to be done."""
        return self._in_light(rendition.steps)

    @property
    def shared_steps(self) -> tuple[Operation, ...]:
        """Return the steps that every output shares, as they are to be done."""
        return self._in_light(self.steps)

    def _in_light(self, steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
        if not self.linear:
            return steps
        return tuple(step.evolve(linear=True) if isinstance(step, Scaling) else step for step in steps)

    @classmethod
    def from_toml(cls, source: Path | str) -> Self:
        """Read a recipe from a TOML file (a ``Path``) or from TOML text; ``RecipeError`` names file, line or field."""
        where = f"{source}: " if isinstance(source, Path) else ""
        try:
            text = source.read_text("utf-8") if isinstance(source, Path) else source
            data: dict[str, Any] = tomllib.loads(text)
        except OSError as error:
            raise RecipeError(f"{where}cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"{where}is not TOML: {error}") from error
        try:
            return cls.from_builtins(data)
        except ConfigError as error:
            raise RecipeError(f"{where}{error.message}", hint=error.hint) from error


def sets_size(steps: Iterable[Operation]) -> bool:
    """Tell whether one of ``steps`` that was asked for says how large the picture is to be."""
    return any(step.sets_size and step is not DEFAULT_BOX for step in steps)


def without_default_box(steps: Iterable[Operation]) -> tuple[Operation, ...]:
    """Return those of ``steps`` that were asked for."""
    return tuple(step for step in steps if step is not DEFAULT_BOX)


def _with_box_settled(
    steps: tuple[Operation, ...], renditions: tuple[Rendition, ...]
) -> tuple[tuple[Operation, ...], tuple[Rendition, ...]]:
    """Return both with the default box where nothing else sets the size: shared if that is so for every rendition."""
    asked = without_default_box(steps)
    is_sized = [sets_size(asked) or sets_size(rendition.steps) for rendition in renditions]
    if not any(is_sized):
        return steps, renditions
    box = DEFAULT_STEPS if len(asked) < len(steps) else ()
    return asked, tuple(
        _with_steps(rendition, without_default_box(rendition.steps) if sized else (*box, *rendition.steps))
        for rendition, sized in zip(renditions, is_sized, strict=True)
    )


def _with_steps(rendition: Rendition, steps: tuple[Operation, ...]) -> Rendition:
    return rendition if len(steps) == len(rendition.steps) else rendition.evolve(steps=steps)
