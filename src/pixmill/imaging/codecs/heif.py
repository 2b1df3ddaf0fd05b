"""``heif``: photographs of telephones; needs the extra ``heif``."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.core.errors import DecodeError
from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import heif


class Heif(Codec, frozen=True, kw_only=True, tag="heif"):
    """HEIF (HEIC): lossy, what iPhones take. Needs the extra ``heif``.

    Use it to read; as output, ``avif`` is as small and browsers show it.

    Example: ``--format heif:quality=60``
    """

    format: ClassVar = Format(
        name="heif", label="HEIF", extensions=("heic", "heif", "hif"), mime="image/heic", extra="heif", pages="pages",
        signature=rb".{4}ftyp(?!.{0,60}avi[fs])(?:hei[csxm]|hev[cmsx]|mif1|msf1)", max_side=16_384,
    )  # fmt: skip

    quality: Annotated[int, Meta(ge=0, le=100, description="quality")] = 60

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says; turns and mirrors of the container are applied by the decoder."""
        return pillow.header(source, cls.format)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the primary picture."""
        lenient = options.fail_on == "none"
        if not lenient and heif.is_cut_off(source):
            hint = "--allow-truncated takes what there is of it"
            raise DecodeError("the HEIF is cut off: its last part is not all there", hint=hint, code="truncated")
        return pillow.decode(source, header, lenient=lenient)

    def encode(self, image: Image) -> bytes:
        """Return the file."""
        return pillow.encode(image, self.format, quality=self.quality)
