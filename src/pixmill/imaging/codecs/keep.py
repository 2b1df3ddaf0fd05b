"""``keep``: write each output in the format of its source."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import UnsupportedError
from pixmill.core.model import fields
from pixmill.imaging.codec import Codec, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.formats import codec_for, sniff
from pixmill.imaging.input import Input

PREAMBLE_EXTENSION = "jpg"  # JPEG is the only format that is read even if other bytes come first


class Keep(Codec, frozen=True, kw_only=True, tag="keep"):
    """Keep: a JPEG stays a JPEG, a PNG a PNG.

    Use it to optimise or resize a mixed folder. What an output can hold is what its format can: transparency, 16 bits, all
    frames of an animation, which are kept unless ``--animated first`` is given. Unless a quality is given, a JPEG gets no
    higher one than that of its source, as its quantisation table shows, stays progressive, and keeps its chroma subsampling.
    Options that a format does not have are ignored. An output keeps the extension of its source exactly as written, ``.JPG`` or
    ``.jpeg``, unless it belongs to a different format than the content. A file in a format that is only read fails as
    ``unsupported``.

    Example: ``--format keep:quality=80``
    """

    format: ClassVar = Format(name="keep", label="the source's format", extensions=(), mime="")
    follows_source: ClassVar = True

    quality: (
        Annotated[
            int,
            Meta(ge=0, le=100, description="quality of lossy formats; default: that of each format, and of a JPEG at most its own"),
        ]
        | None
    ) = None
    effort: Effort = "default"

    def for_source(self, source_format: Format) -> Codec:
        """Return the codec of the source's format with these options. Raise ``UnsupportedError`` if it is read-only."""
        if not source_format.writable:
            raise UnsupportedError(f"pixmill does not write {source_format.label}", hint="choose a format other than keep")
        codec = codec_for(source_format)
        declared = {field.name for field in fields(codec)}
        options = {"quality": codec.nearest_quality(self.quality), "effort": self.effort}
        return codec(**{name: value for name, value in options.items() if value is not None and name in declared})

    def for_file(self, source: Input, source_format: Format) -> Codec:
        """Return the codec of ``for_source``; without a quality of its own, no better than the source needs."""
        codec = self.for_source(source_format)
        return codec.no_better_than(source) if self.quality is None else codec

    def extension_for(self, head: bytes, own: str = "") -> str:
        """Return ``own`` if it fits the format of the content or that is unknown, otherwise the format's usual extension."""
        file_format = sniff(head)
        if file_format is None:  # not an image, or a JPEG after a preamble
            return own or PREAMBLE_EXTENSION
        return own if own.lower() in file_format.extensions else file_format.extension
