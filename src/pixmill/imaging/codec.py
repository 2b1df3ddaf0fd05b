"""The contract of every codec: how one file format is read and written."""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from pixmill.core.errors import RecipeError, UnsupportedError
from pixmill.core.registry import Registry
from pixmill.core.variant import Variant
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input

#: How much time an encoder may spend on a smaller file, in words that mean the same for every format.
Effort = Annotated[Literal["fast", "default", "best"], Meta(description="time that may be spent on a smaller file")]


class DecodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a picture is wanted.

    ``shrink``: it will be made smaller by at least this factor, so a decoder may hand over fewer pixels, best twice as many a
    side as needed. ``frames``: how many to decode, from the first. ``fail_on``: what of a
    file is refused: nothing that can be decoded somehow, what is cut off or breaks, or whatever the decoder warns of.
    """

    shrink: float = 1.0
    frames: int = 1
    fail_on: Literal["none", "error", "warning"] = "warning"


class Codec(Variant, frozen=True, kw_only=True, tag_field="format"):
    """One format. The class reads it; an instance, with the options that the format has, writes it."""

    error: ClassVar = RecipeError
    format: ClassVar[Format]
    #: Its output is in the format of the source, which must be looked at before the output can be named.
    follows_source: ClassVar[bool] = False

    @classmethod
    def named(cls, name: str) -> "type[Codec]":
        """Return the codec of the format called ``name``, which may also be one of its extensions, in any case: ``JPG``."""
        plain = name.strip().lower().removeprefix(".")
        try:
            return super().named(plain)
        except RecipeError:
            owner = next((codec for _, codec in cls.registry if plain in codec.format.extensions), None)
            if owner is None:
                raise
            return owner

    @property
    def lossy_quality(self) -> int | None:
        """Return the quality to which a picture is encoded; ``None`` where every pixel stays as it is."""
        quality: int | None = None if getattr(self, "lossless", False) else getattr(self, "quality", None)
        return quality

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says, without decoding pixels. ``DecodeError`` when it is not readable."""
        raise NotImplementedError

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the picture, not yet upright, in its own colour space.

        May be lazy, and then read once from top to bottom. Its metadata are fields of ``pixels`` (``icc-profile-data``, ...).
        """
        raise NotImplementedError

    def encode(self, image: Image) -> bytes:
        """Return the file, with the metadata that are fields of ``image.pixels``.

        The picture is one that ``format`` can hold (``writing.fit``): alpha, depth, frames and sides are seen to.
        """
        del image
        raise UnsupportedError(f"pixmill does not write {self.format.label}", hint="choose another format")

    def for_source(self, known: Format) -> "Codec":
        """Return the codec that writes the output of a source of format ``known``: this one, except for ``keep``."""
        del known
        return self

    def extension_for(self, head: bytes, own: str = "") -> str:
        """Return the extension, without dot, of the output of a source that starts with ``head`` and has the extension ``own``."""
        del head, own
        return self.format.extension


Codec.registry = Registry("pixmill.imaging.codecs", Codec, "format", RecipeError)
