"""``qoi``: lossless images that are fast to write."""

from typing import ClassVar

from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import qoi

LONGEST_RUN, LONGEST_RUN_PIXELS = b"\xfd", 62  # repeat the last pixel, as far as a truncated file goes


class Qoi(Codec, frozen=True, kw_only=True, tag="qoi"):
    """QOI: lossless, simple to write, used by games. Input only.

    Decoding takes up to a second per megapixel. All images are taken for sRGB: writers state linear light at random.
    """

    format: ClassVar = Format(
        library="Pillow",
        name="qoi", label="QOI", extensions=("qoi",), mime="image/qoi", plugin="PIL.QoiImagePlugin", signature=b"qoif",
        end=b"\0\0\0\0\0\0\0\x01", opt_in=True, writable=False, decoder_copies=5,
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        stated = qoi.read(source.head)
        return Header(format=cls.format, width=stated.width, height=stated.height, bands=stated.bands)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        if options.fail_on == "none":
            source = Input(source.read() + LONGEST_RUN * (header.pixels // LONGEST_RUN_PIXELS + 1))
        return pillow.decode(source, header, lenient=False)
