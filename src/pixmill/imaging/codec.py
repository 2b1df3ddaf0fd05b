"""The contract of every codec: how one file format is read and written."""

from typing import ClassVar

from pixmill.core.errors import RecipeError
from pixmill.core.registry import Registry
from pixmill.core.variant import Variant
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input


class Codec(Variant, frozen=True, kw_only=True, tag_field="format"):
    """One format. The class reads it; an instance, with the options that the format has, writes it."""

    error: ClassVar = RecipeError
    format: ClassVar[Format]

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says, without decoding pixels. ``DecodeError`` when it is not readable."""
        raise NotImplementedError

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: "DecodeOptions") -> Image:
        """Return the picture, not yet upright, in its own colour space. May be lazy; may be smaller where ``options`` allow."""
        raise NotImplementedError

    def encode(self, image: Image) -> bytes:
        """Return the file. ``EncodeError`` when the format cannot hold the picture (too large)."""
        raise NotImplementedError


Codec.registry = Registry("pixmill.imaging.codecs", Codec, "format", RecipeError)
