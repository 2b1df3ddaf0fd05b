"""``bmp``: uncompressed images of old Windows programs."""

from typing import ClassVar

from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input


class Bmp(Codec, frozen=True, kw_only=True, tag="bmp"):
    """BMP: uncompressed, without transparency. Use it only for programs that support nothing else."""

    format: ClassVar = Format(
        name="bmp", label="BMP", extensions=("bmp", "dib"), mime="image/bmp", plugin="PIL.BmpImagePlugin",
        signature=rb"BM.{12}[\x0c-\x7c]\0\0\0", alpha=False, max_side=65_535, profiles=(),
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        return pillow.header(source, cls.format)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        return pillow.decode(source, header, lenient=options.fail_on == "none")

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        return pillow.encode(image, self.format)
