"""``bmp``: uncompressed images of old Windows programs."""

from typing import ClassVar

import pyvips

from pixmill.imaging.backends import bmp_pixels, pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import bmp as bmp_metadata
from pixmill.imaging.metadata.fields import PROFILE
from pixmill.imaging.parsers import bmp


class Bmp(Codec, frozen=True, kw_only=True, tag="bmp"):
    """BMP: uncompressed, without transparency. Use it only for programs that support nothing else."""

    format: ClassVar = Format(
        library="pixmill's own decoder; Pillow writes",
        name="bmp", label="BMP", extensions=("bmp", "dib", "rle"), mime="image/bmp", plugin="PIL.BmpImagePlugin",
        signature=rb"BM.{12}[\x0c-\x7c]\0\0\0|BA.{12}BM", alpha=False, max_side=65_535, profiles=(), decoder_copies=3,
    )  # fmt: skip
    container: ClassVar = bmp_metadata.CONTAINER

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        bitmap = bmp.read(source.head)
        has_alpha = any(bitmap.masks[3:])
        return Header(format=cls.format, width=bitmap.width, height=bitmap.height, bands=(1 if bitmap.is_gray else 3) + has_alpha)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        data = source.read()
        image = bmp_pixels.decode(data, bmp.read(source.head), lenient=options.fail_on == "none")
        profile = bmp.profile(data)
        pixels = image.pixels.copy()
        if profile:
            pixels.set_type(pyvips.GValue.blob_type, PROFILE, profile)
        return with_stated_colours(image.evolve(pixels=pixels), {"ICC": profile})

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        return pillow.encode(image, self.format)
