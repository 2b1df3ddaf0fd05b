"""``Recipe``: how to process each image. ``Rendition``: one output of a recipe."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from msgspec import Meta, structs
from msgspec.structs import force_setattr

from pixmill.core.errors import ConfigError, RecipeError
from pixmill.core.model import Model, fingerprint_of
from pixmill.core.units import ByteSize
from pixmill.imaging.codec import Codec, CodecLike
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.codecs.keep import Keep
from pixmill.imaging.colour.management import Depth, Space
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.format import Format
from pixmill.imaging.formats import Allowed, AllowLike, allowed_names, reader
from pixmill.imaging.geometry.filters import Filters
from pixmill.imaging.limits import Limits
from pixmill.imaging.metadata.policy import Policy
from pixmill.imaging.metadata.setting import Setting
from pixmill.imaging.operation import Operation, StepLike
from pixmill.imaging.operations.resize import Resize
from pixmill.imaging.scaling import Scaling

WHITE = Colour(255, 255, 255)
WITHOUT_LOSSLESS = "allow changes: --no-lossless"


class Box(Resize, frozen=True, kw_only=True, tag="resize"):
    """A resize that comes from an option such as ``--size``, or ``DEFAULT_BOX``, not from a step. Otherwise a ``Resize``."""

    @property
    def step(self) -> Resize:
        """Return the equivalent step."""
        return Resize(**structs.asdict(self))

    def __eq__(self, other: object) -> bool:
        """Compare by effect."""
        return self.step == (other.step if isinstance(other, Box) else other)

    def __hash__(self) -> int:
        """Hash by effect."""
        return hash(self.step)


#: Compared by identity: an equal step in a recipe was requested explicitly.
DEFAULT_BOX = Box(width=1920, height=1920)
DEFAULT_STEPS: tuple[Operation, ...] = (DEFAULT_BOX,)


#: How large a file may be.
MaxSize = Annotated[
    ByteSize,
    Meta(
        description=(
            "maximum size of an output file, such as 500kB: if a file would be larger, the quality is lowered, then the sides are"
            " shortened"
        ),
        extra={"later": True},
    ),
]
#: How far the quality may be lowered for it.
MinQuality = Annotated[
    int, Meta(ge=1, le=100, description="lowest quality that --max-size may choose (default: 40)", extra={"later": True})
]
#: How good the output has to look.
TargetQuality = Annotated[
    int,
    Meta(
        ge=1,
        le=100,
        description=(
            "visual quality of each output as an SSIMULACRA 2 score, such as 80: the lowest quality setting from 1 to 95 that "
            "reaches it is used; 90 looks like the original, 70 shows small differences"
        ),
        extra={"later": True},
    ),
]


class Rendition(Model, frozen=True, kw_only=True):
    """One output: additional steps after the recipe's, an encoder, and a name that distinguishes it from other outputs."""

    error: ClassVar = RecipeError

    name: Annotated[str, Meta(description="name of this output, which becomes part of its file name")] = ""
    steps: Annotated[tuple[Operation, ...], Meta(description="steps to apply after those of the recipe")] = ()
    encode: Annotated[Codec, Meta(description="output format and its options")] = Jpeg()  # immutable
    max_size: MaxSize | None = None
    min_quality: MinQuality = 40
    target_quality: TargetQuality | None = None

    if TYPE_CHECKING:
        # docs/signatures.py writes this signature of Rendition:
        def __init__(  # noqa: D107  # the fields
            self,
            *,
            name: str = ...,
            steps: Sequence[StepLike] = ...,
            encode: CodecLike = ...,
            max_size: str | float | None = ...,
            min_quality: int = ...,
            target_quality: int | None = ...,
        ) -> None: ...

        # end of signature

    def __post_init__(self) -> None:
        """Raise ``RecipeError`` if the quality of the output is to be searched for, but it has none, or one is given."""
        super().__post_init__()
        if self.target_quality is None:
            return
        if not self.encode.has_searched_quality:
            raise RecipeError(
                f"target_quality: {self.encode.text()} has no quality to search for",
                hint="choose jpeg, webp, avif or jxl as the format, or omit --target-quality",
            )
        if self.encode != self.encode.with_default_quality():
            raise RecipeError(
                f"target_quality: the quality is searched for, but {self.encode.text()} gives one",
                hint="omit the quality of the format, or --target-quality",
            )


#: Its rendition is compared by identity, as ``DEFAULT_BOX`` is.
DEFAULT_RENDITIONS = (Rendition(),)


class Recipe(Model, frozen=True, kw_only=True):
    """How to process each image: steps that all outputs share, then one or more renditions from a single decode.

    By default, ``steps`` fits images inside 1920x1920, except in renditions with a step that resizes, crops, pads or trims. An
    empty list keeps the original size.
    """

    error: ClassVar = RecipeError

    steps: Annotated[tuple[Operation, ...], Meta(description="steps that all outputs share, in order")] = DEFAULT_STEPS
    renditions: Annotated[tuple[Rendition, ...], Meta(description="the outputs")] = DEFAULT_RENDITIONS
    background: Annotated[Colour, Meta(description="colour behind transparency if the output format has none")] = WHITE
    color: Annotated[Space, Meta(description="srgb converts every image; keep embeds the source's profile")] = "srgb"
    depth: Annotated[Depth, Meta(description="8 bits per channel, or keep 16 if both source and format have them")] = "8"
    animated: Annotated[
        Literal["first", "keep"] | None,
        Meta(
            description="the first frame, or all frames if the format supports animation (default: first; all with --format keep)",
            extra={"synonyms": {"all": "keep", "yes": "keep", "none": "first", "no": "first"}},
        ),
    ] = None
    metadata: Annotated[
        Policy,
        Meta(
            description="metadata to copy to the output",
            extra={"synonyms": {"all": "keep", "none": "strip", "remove": "strip", "credits": "copyright"}},
        ),
    ] = "copyright"
    set: Annotated[
        tuple[Setting, ...],
        Meta(
            description="write this to the metadata (EXIF, IPTC and XMP): copyright=..., artist=..., dpi=300 (repeatable)",
            extra={"value": "NAME=TEXT", "later": True},
        ),
    ] = ()
    set_if_missing: Annotated[
        tuple[Setting, ...],
        Meta(
            description="the same, but only if the metadata kept from the source does not contain it (repeatable)",
            extra={"value": "NAME=TEXT", "later": True},
        ),
    ] = ()
    linear: Annotated[bool, Meta(description="resize in linear light")] = False
    engine: Annotated[Literal["auto", "vips"], Meta(description="auto uses the fast path for JPEG; vips never does")] = "auto"
    allow_truncated: Annotated[
        bool, Meta(description="accept truncated files and decode as much as possible", extra={"prevents": ("truncated", "decode")})
    ] = False
    never_bigger: Annotated[
        bool,
        Meta(
            description="copy the source, without metadata that is not kept, if the output would be larger and nothing else changed"
        ),
    ] = False
    lossless: Annotated[
        bool,
        Meta(
            description=(
                "make JPEG, PNG and lossless WebP files smaller without changing a pixel: format, dimensions and orientation tag "
                "stay as they are; other files are copied, without the metadata that is not kept"
            ),
            extra={"later": True},
        ),
    ] = False
    hdr: Annotated[
        Literal["drop", "keep"],
        Meta(
            description=(
                "gain maps of JPEG files, with which HDR displays brighten parts of a picture: keep writes an Ultra HDR JPEG, "
                "unless a step pads, draws or crops by content; drop leaves the gain map out"
            ),
            extra={"later": True},
        ),
    ] = "drop"
    allow: Annotated[
        tuple[Allowed, ...],
        Meta(
            description="read formats that are disabled by default, such as psd,jpeg2000, or all of them; some have settings",
            extra={"prevents": ("unsupported", "not-an-image"), "value": "FORMAT,..."},
        ),
    ] = ()
    limits: Annotated[Limits, Meta(description="upper bounds on a source")] = Limits()  # immutable
    filters: Annotated[Filters, Meta(description="which images are rejected", extra={"later": True})] = Filters()  # immutable

    if TYPE_CHECKING:
        # docs/signatures.py writes this signature of Recipe:
        def __init__(  # noqa: D107, PLR0913  # the fields
            self,
            *,
            steps: Sequence[StepLike] = ...,
            renditions: Sequence[Rendition | Mapping[str, object]] = ...,
            background: Colour | str = ...,
            color: Literal["srgb", "keep"] = ...,
            depth: Literal["8", "keep"] = ...,
            animated: Literal["first", "keep"] | None = ...,
            metadata: Literal["strip", "copyright", "keep", "no-gps"] = ...,
            set: list[str] | tuple[str, ...] | Mapping[str, object] = ...,  # noqa: A002  # its name everywhere
            set_if_missing: list[str] | tuple[str, ...] | Mapping[str, object] = ...,
            linear: bool = ...,
            engine: Literal["auto", "vips"] = ...,
            allow_truncated: bool = ...,
            never_bigger: bool = ...,
            lossless: bool = ...,
            hdr: Literal["drop", "keep"] = ...,
            allow: Sequence[AllowLike] = ...,
            limits: Limits | Mapping[str, object] = ...,
            filters: Filters | Mapping[str, object] = ...,
        ) -> None: ...

        # end of signature

    def __post_init__(self) -> None:
        """Check that there is a rendition, and remove the default box where a step sets the size."""
        super().__post_init__()
        if not self.renditions:
            raise RecipeError("recipe.renditions: expected at least one, received none")
        if self.lossless:
            steps, renditions = _resolve_lossless(self.steps, self.renditions, self.animated)
        else:
            steps, renditions = _resolve_default_box(self.steps, self.renditions)
        force_setattr(self, "steps", steps)
        force_setattr(self, "renditions", renditions)

    def keeps_animation(self, codec: Codec) -> bool:
        """Return whether ``codec`` gets all frames of an animation, if its format supports that."""
        return codec.follows_source if self.animated is None else self.animated == "keep"

    @property
    def allowed(self) -> frozenset[str]:
        """Return the names of the formats that are read although they are disabled by default."""
        return allowed_names(self.allow) if self.allow else frozenset()

    def reader(self, file_format: Format) -> Codec:
        """Return the codec that reads sources in ``file_format``, with the settings of ``allow``."""
        return reader(file_format, self.allow)

    def fingerprint(self) -> str:
        """Return the fingerprint as of any model, where the default for ``animated`` is that of earlier versions, ``first``."""
        is_exception = self.animated == "first" and any(rendition.encode.follows_source for rendition in self.renditions)
        return fingerprint_of({**self.identity(), "animated": "first of all" if is_exception else self.animated or "first"})

    def all_steps(self) -> Iterator[Operation]:
        """Yield every step: the shared ones, then those of each rendition."""
        yield from self.steps
        for rendition in self.renditions:
            yield from rendition.steps

    def resolved(self) -> Self:
        """Return the recipe, checked, with what this machine knows about its steps. ``RecipeError`` if it cannot work here."""
        for rendition in self.renditions:
            rendition.encode.check()
        renditions = tuple(each.evolve(steps=_resolved(each.steps)) for each in self.renditions)
        return self.evolve(steps=_resolved(self.steps), renditions=renditions)

    def open(self) -> None:
        """Load what the steps need, once in each worker. ``RecipeError`` if that fails."""
        for step in self.all_steps():
            step.open()

    def close(self) -> None:
        """Release what the steps have loaded."""
        for step in self.all_steps():
            step.close()

    def steps_of(self, rendition: Rendition) -> tuple[Operation, ...]:
        """Return the steps of ``rendition`` after the shared ones, with the recipe's ``linear`` applied."""
        return self._with_light(rendition.steps)

    @property
    def shared_steps(self) -> tuple[Operation, ...]:
        """Return the steps that all outputs share, with the recipe's ``linear`` applied."""
        return self._with_light(self.steps)

    def _with_light(self, steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
        if not self.linear:
            return steps
        return tuple(step.evolve(linear=True) if isinstance(step, Scaling) else step for step in steps)

    @classmethod
    def from_toml(cls, source: Path | str) -> Self:
        """Read a recipe from a TOML file (a ``Path``) or from TOML text. Errors (``RecipeError``) name the file, line or field."""
        prefix = f"{source}: " if isinstance(source, Path) else ""
        try:
            text = source.read_text("utf-8") if isinstance(source, Path) else source
            data: dict[str, Any] = tomllib.loads(text)
        except OSError as error:
            raise RecipeError(f"{prefix}cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            hint = "to read a file, use Recipe.from_toml(Path(...))" if isinstance(source, str) else ""
            raise RecipeError(f"{prefix}is not TOML: {error}", hint=hint) from error
        try:
            return cls.from_builtins(data)
        except ConfigError as error:
            raise RecipeError(f"{prefix}{error.message}", hint=error.hint) from error


def _resolved(steps: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return tuple(step.resolved() for step in steps)


def sets_size(steps: Iterable[Operation]) -> bool:
    """Return whether any of ``steps`` other than the default box sets the size of the image."""
    return any(step.sets_size and step is not DEFAULT_BOX for step in steps)


def without_default_box(steps: Iterable[Operation]) -> tuple[Operation, ...]:
    """Return ``steps`` without the default box."""
    return tuple(step for step in steps if step is not DEFAULT_BOX)


def _resolve_lossless(
    steps: tuple[Operation, ...], renditions: tuple[Rendition, ...], animated: str | None
) -> tuple[tuple[Operation, ...], tuple[Rendition, ...]]:
    """Return no steps and one output in the format of the source; ``RecipeError`` if anything else was asked for."""
    only = renditions[0]
    changing = next(iter((*without_default_box(steps), *without_default_box(only.steps))), None)
    if changing is not None:
        option = "--size" if isinstance(changing, Box) else "the step"
        raise RecipeError(f"lossless: {changing.text()} changes pixels", hint=f"omit {option}, or {WITHOUT_LOSSLESS}")
    codec = Keep() if only is DEFAULT_RENDITIONS[0] else only.encode
    if not isinstance(codec, Keep) or len(renditions) > 1:
        received = ", ".join(rendition.encode.text() for rendition in renditions)
        hint = f"omit the format, or {WITHOUT_LOSSLESS}, and use --format webp:lossless=auto"
        raise RecipeError(f"lossless: each output has the format of its source, received {received}", hint=hint)
    if codec.quality is not None:
        raise RecipeError(
            f"lossless: no quality is lost, received quality {codec.quality}", hint=f"omit --quality, or {WITHOUT_LOSSLESS}"
        )
    if only.max_size is not None:
        raise RecipeError("lossless: a maximum size would cost quality", hint=f"omit --max-size, or {WITHOUT_LOSSLESS}")
    if only.target_quality is not None:
        raise RecipeError("lossless: a target quality would cost quality", hint=f"omit --target-quality, or {WITHOUT_LOSSLESS}")
    if animated == "first":
        raise RecipeError("lossless: all frames are kept, received animated first", hint=f"omit --animated, or {WITHOUT_LOSSLESS}")
    return (), (only.evolve(steps=(), encode=codec),)


def _resolve_default_box(
    steps: tuple[Operation, ...], renditions: tuple[Rendition, ...]
) -> tuple[tuple[Operation, ...], tuple[Rendition, ...]]:
    """Return both, with the default box only where no other step sets the size: shared if this holds for every rendition."""
    explicit = without_default_box(steps)
    is_sized = [sets_size(explicit) or sets_size(rendition.steps) for rendition in renditions]
    if not any(is_sized):
        return steps, renditions
    box = DEFAULT_STEPS if len(explicit) < len(steps) else ()
    return explicit, tuple(
        _with_steps(rendition, without_default_box(rendition.steps) if sized else (*box, *rendition.steps))
        for rendition, sized in zip(renditions, is_sized, strict=True)
    )


def _with_steps(rendition: Rendition, steps: tuple[Operation, ...]) -> Rendition:
    return rendition if len(steps) == len(rendition.steps) else rendition.evolve(steps=steps)
