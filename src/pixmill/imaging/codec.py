"""The contract of every codec: how one file format is read and written."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

import msgspec
from msgspec import Meta

from pixmill.core.errors import MissingExtra, RecipeError, UnsupportedError
from pixmill.core.model import fields
from pixmill.core.registry import Registry
from pixmill.core.variant import Variant
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Data, Input
from pixmill.imaging.metadata.blocks import EMPTY, Blocks
from pixmill.imaging.metadata.container import Container

#: How much time an encoder may spend to make the file smaller, on a scale that is the same for every format.
Effort = Annotated[Literal["fast", "default", "best"], Meta(description="time to spend on making the file smaller")]


AUTO = "auto"
#: Whether to encode without loss; ``auto`` where the source has lost nothing and the file becomes smaller.
Lossless = Annotated[
    bool | Literal["auto"],
    Meta(description="lossless compression; auto: only of a lossless source, such as PNG, and only if the file becomes smaller"),
]

#: What makes a decoder refuse a file.
FailOn = Literal["none", "error", "warning"]


#: The lowest and the highest quality that a search for a score tries: above, files grow without a visible gain.
SEARCHED_QUALITIES = (1, 95)


def interpolated(points: Mapping[int, float], at: float) -> float:
    """Return the value of the line through ``points``, in ascending order, that of the first or last one outside of them."""
    (before, value), *others = points.items()
    for after, other in others:
        if at <= after:
            return value + (other - value) * max(0.0, at - before) / (after - before)
        before, value = after, other
    return value


class DecodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to decode an image.

    ``shrink``: a later resize reduces the image by at least this factor, so a decoder may return fewer pixels, ideally twice the
    final number per side. ``frames``: how many to decode, from the first. ``fail_on``: which files are rejected: ``none`` decodes
    as much as possible, ``error`` rejects truncated or broken files, ``warning`` rejects any file the decoder warns about.
    """

    shrink: float = 1.0
    frames: int = 1
    fail_on: FailOn = "warning"


class Codec(Variant, frozen=True, kw_only=True, tag_field="format"):
    """One file format. An instance holds its options: those for writing it, or those for reading it if it is not written."""

    error: ClassVar = RecipeError
    format: ClassVar[Format]
    #: How the metadata of the format are read and written; ``None`` if it has none.
    container: ClassVar[Container | None] = None
    #: The output has the format of the source, so the source must be inspected before the output can be named.
    follows_source: ClassVar[bool] = False
    #: The median score of photographs (SSIMULACRA 2) by quality, where a search for one begins.
    scores: ClassVar[Mapping[int, float]] = {1: 0, 50: 65, 95: 92}

    @classmethod
    def named(cls, name: str) -> "type[Codec]":
        """Return the codec for ``name``, a format name or one of its extensions, in any case: ``JPG``."""
        normalised = name.strip().lower().removeprefix(".")
        try:
            return super().named(normalised)
        except RecipeError as unknown:
            by_extension = next((codec for _, codec in cls.registry if normalised in codec.format.extensions), None)
            if by_extension is None:
                raise cls._several(normalised) or unknown from None
            return by_extension

    @classmethod
    def _several(cls, text: str) -> RecipeError | None:
        """Return the error for several formats in place of one; ``None`` if ``text`` is something else."""
        names = list(filter(None, re.split(r"[\s,;+|/]+", text)))
        known = {extension for _, codec in cls.registry for extension in (*codec.format.extensions, *cls.registry.names())}
        if not names or names == [text] or not known.issuperset(names):
            return None
        return RecipeError(f"expected one format, received {text}", hint=f"for several formats: --formats {','.join(names)}")

    def choices(self, *, is_lossless: bool) -> "tuple[Codec, ...]":
        """Return the codecs of which the one with the smallest file is used, for a source that ``is_lossless`` or not."""
        if getattr(self, "lossless", False) != AUTO:
            return (self,)
        return tuple(self.evolve(lossless=value) for value in ((False, True) if is_lossless else (False,)))

    @property
    def lossy_quality(self) -> int | None:
        """Return the encoding quality, or ``None`` if the encoding is lossless."""
        quality: int | None = None if getattr(self, "lossless", False) is True else getattr(self, "quality", None)
        return quality

    @property
    def has_searched_quality(self) -> bool:
        """Return whether a search can choose the quality: of ``keep``, where the format of the source has one."""
        return self.follows_source or self.lossy_quality is not None

    def with_default_quality(self) -> Self:
        """Return this codec with the quality that it has if none is given."""
        return self.evolve(quality=next(field.default for field in fields(type(self)) if field.name == "quality"))

    def by_quality(self) -> "tuple[Codec, ...]":
        """Return this codec with each quality that may be searched for, from the lowest to the highest; empty without any."""
        if self.lossy_quality is None:
            return ()
        lowest, highest = (self.nearest_quality(quality) or quality for quality in SEARCHED_QUALITIES)
        return tuple(self.evolve(quality=quality) for quality in range(lowest, highest + 1))

    @property
    def typical_score(self) -> float:
        """Return the score of a typical photograph with this quality."""
        return interpolated(self.scores, self.lossy_quality or 0)

    @property
    def keeps_alpha(self) -> bool:
        """Return whether the file can have transparency; otherwise images are composited onto the recipe's background."""
        return self.format.alpha

    @property
    def encoder_copies(self) -> int:
        """Return how often the encoder keeps all pixels or as much, the file that it makes included."""
        return self.format.encoder_copies

    @property
    def profiles(self) -> tuple[bytes, ...]:
        """Return the colour spaces of the ICC profiles that the file can carry; other pixels are converted to sRGB."""
        return self.format.profiles

    @classmethod
    def nearest_quality(cls, wanted: int | None) -> int | None:
        """Return ``wanted``, or the nearest quality in the range that the format declares."""
        if wanted is None:
            return None
        ranges = [meta for field in fields(cls) if field.name == "quality" for meta in field.type.__metadata__]
        return next((max(meta.ge, min(wanted, meta.le)) for meta in ranges), wanted)

    @classmethod
    def stated_header(cls, source: Input) -> Header | None:
        """Return the properties that limits must hold for before a library opens the file; ``None`` if ``header`` is cheap."""
        del source
        return None

    def header(self, source: Input) -> Header:
        """Return the header without decoding pixels. Raise ``DecodeError`` if it cannot be read."""
        raise NotImplementedError

    @classmethod
    def exif(cls, source: Input) -> Data:
        """Return the EXIF block of ``source`` without decoding pixels, which is the whole file of a TIFF; empty if it has none."""
        del source
        return b""

    @classmethod
    def metadata(cls, source: Input) -> Blocks:
        """Return the metadata of ``source``, as stored."""
        return cls.container.read(source.mapped()) if cls.container is not None else EMPTY

    def decode(self, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image, not yet rotated upright, in its own colour space.

        It may be lazy; then its rows are read once, from top to bottom. Its metadata are fields of ``pixels``
        (``icc-profile-data``, ...).
        """
        raise NotImplementedError

    @classmethod
    def equivalents(cls, source: Input) -> Iterator[Input]:
        """Yield files with the pixels of ``source``, without what a decoder may have warned about although it costs no pixel.

        They are decoded in place of a source that was refused; those that are refused as well are damaged among their pixels.
        """
        del source
        return iter(())

    def prepared(self, image: Image) -> Image:
        """Return ``image`` in the size that the file will have, for formats that have only some sizes."""
        return image

    def encode(self, image: Image) -> bytes:
        """Return the encoded file, with the profile of ``image.pixels``; ``container`` writes other metadata into it.

        The caller has already adapted the image to ``format`` (``pipeline.encode.fit``): alpha, depth, frames and size.
        """
        del image
        raise UnsupportedError(f"pixmill does not write {self.format.label}", hint="choose another format")

    def with_fewer_colours(self) -> "Codec | None":
        """Return this codec with a setting that makes the file much smaller, at a cost to the colours; ``None`` without one."""
        return None

    def with_exact_palette(self, colours: int) -> "Codec | None":
        """Return this codec with a palette of ``colours``, as near to the true ones as it can be; ``None`` without one."""
        del colours
        return None

    def without_loss(self, data: bytes) -> bytes:
        """Return the file ``data``, which has no metadata, in fewer bytes but with the same pixels; ``data`` if no way is known."""
        return data

    def check(self) -> None:
        """Raise ``MissingExtra`` if this machine cannot write the format."""
        if extra := self.format.missing_extra("write"):
            raise MissingExtra(extra, f"writing {self.format.label}")

    def no_better_than(self, source: Input) -> "Codec":
        """Return this codec with no higher quality than that of ``source``, a file of its format, and encoded in the same way."""
        del source
        return self

    def for_file(self, source: Input, source_format: Format) -> "Codec":
        """Return ``for_source``, with settings that depend on the file."""
        del source
        return self.for_source(source_format)

    def for_source(self, source_format: Format) -> "Codec":
        """Return the codec that writes the output for a source in ``source_format``: this one, except for ``keep``."""
        del source_format
        return self

    def extension_for(self, head: bytes, own: str = "") -> str:
        """Return the output's extension, without the dot, for a source that starts with ``head`` and has the extension ``own``."""
        del head, own
        return self.format.extension


#: What is accepted for an output format: a codec, its text or its table.
CodecLike = Codec | str | Mapping[str, object]

Codec.registry = Registry("pixmill.imaging.codecs", Codec, "format", RecipeError)
