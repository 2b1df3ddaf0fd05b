"""``keep``: each output in the format of its source."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import UnsupportedError
from pixmill.core.model import fields
from pixmill.imaging.codec import Codec, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.formats import codec_for, sniff

BEHIND_A_PREAMBLE = "jpg"  # the one format that is read though other bytes come first


class Keep(Codec, frozen=True, kw_only=True, tag="keep"):
    """Keep: a JPEG stays a JPEG, a PNG a PNG.

    Use it to optimise or resize a mixed folder. Options that a format does not have are passed over. An output keeps the
    extension of its source as it is written, ``.JPG`` or ``.jpeg``, unless that belongs to another format than the content.

    Example: ``--format keep:quality=80``
    """

    format: ClassVar = Format(name="keep", label="the source's format", extensions=(), mime="")
    follows_source: ClassVar = True

    quality: Annotated[int, Meta(ge=1, le=100, description="quality of lossy formats; each one's own when left out")] | None = None
    effort: Effort = "default"

    def for_source(self, known: Format) -> Codec:
        """Return the codec of the source's format with these options; ``UnsupportedError`` when it is only read."""
        if not known.writable:
            raise UnsupportedError(f"pixmill does not write {known.label}", hint="choose a format other than keep")
        codec = codec_for(known)
        declared = {field.name for field in fields(codec)}
        wanted = {"quality": self.quality, "effort": self.effort}
        return codec(**{name: value for name, value in wanted.items() if value is not None and name in declared})

    def extension_for(self, head: bytes, own: str = "") -> str:
        """Return ``own`` where it belongs to the format of the content, or that is not known; else the format's usual one."""
        known = sniff(head)
        if known is None:  # nothing to write, or a JPEG behind bytes that are none
            return own or BEHIND_A_PREAMBLE
        return own if own.lower() in known.extensions else known.extension
