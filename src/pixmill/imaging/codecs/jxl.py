"""``jxl``: JPEG XL; needs the extra ``jxl``."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input

EFFORTS = {"fast": 3, "default": 7, "best": 9}


class Jxl(Codec, frozen=True, kw_only=True, tag="jxl"):
    """JPEG XL: lossy or lossless, with transparency, smaller than all before it. Needs the extra ``jxl``.

    Use it for archives; few browsers show it.

    Example: ``--format jxl:lossless=true``
    """

    format: ClassVar = Format(
        name="jxl", label="JPEG XL", extensions=("jxl",), mime="image/jxl", extra="jxl",
        signature=rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", max_side=2**30,
    )  # fmt: skip

    quality: Annotated[int, Meta(ge=0, le=100, description="quality")] = 85
    effort: Effort = "default"
    lossless: Annotated[bool, Meta(description="keep every pixel as it is")] = False

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says; the orientation is applied by the decoder."""
        return pillow.header(source, cls.format)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the picture."""
        return pillow.decode(source, header, lenient=options.fail_on == "none")

    def encode(self, image: Image) -> bytes:
        """Return the file."""
        return pillow.encode(image, self.format, quality=self.quality, effort=EFFORTS[self.effort], lossless=self.lossless)
