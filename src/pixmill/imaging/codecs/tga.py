"""``tga``: textures of games and old scanners."""

from typing import ClassVar

from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import tga

#: The first eight bytes: a palette of known depth, or none. There is no signature, so that these must do, with size and depth.
COLOURS = rb"(?:.\x01[\x01\x09].{4}[\x10\x18\x20]|.\0[\x02\x03\x0a\x0b]\0{5})"


class Tga(Codec, frozen=True, kw_only=True, tag="tga"):
    """TGA (Targa): textures of games, frames of animation programs. Input only.

    Transparency counts if the file declares it, and is not zero everywhere.
    """

    format: ClassVar = Format(
        library="Pillow",
        name="tga", label="TGA", extensions=("tga", "icb", "vda", "vst"), mime="image/x-tga", plugin="PIL.TgaImagePlugin",
        signature=COLOURS + rb".{4}(?!\0\0)..(?!\0\0)..[\x01\x08\x10\x18\x20][\0-\x3f]", opt_in=True, writable=False,
        decoder_copies=5,
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        stated = tga.read(source.head)
        return Header(format=cls.format, width=stated.width, height=stated.height, bands=stated.bands)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        image = pillow.decode(source, header, lenient=options.fail_on == "none")
        stated = tga.read(source.head)
        if image.has_alpha and (not stated.has_alpha or image.pixels[-1].max() == 0):
            return image.evolve(pixels=image.pixels.extract_band(0, n=image.pixels.bands - 1))
        return image
