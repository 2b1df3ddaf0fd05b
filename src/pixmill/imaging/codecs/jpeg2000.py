"""``jpeg2000``: scans of libraries and archives, medical images, frames of cinema."""

from typing import ClassVar

import pyvips

from pixmill.imaging.backends import jpeg2000_boxes as jpeg2000
from pixmill.imaging.backends import pillow
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.icc_read import describes
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.exif import resolution
from pixmill.imaging.metadata.fields import PROFILE
from pixmill.imaging.metadata.orientation import orientation_in

BYTE_BITS, HIGH_BITS, FOUR_COLOURS = 8, 16, 4


class Jpeg2000(Codec, frozen=True, kw_only=True, tag="jpeg2000"):
    """JPEG 2000: scans of libraries and archives. Input only.

    Gray is read with up to 16 bits per channel, colours with 8.
    """

    format: ClassVar = Format(
        library="OpenJPEG by Pillow",
        name="jpeg2000", label="JPEG 2000", extensions=("jp2", "j2k", "j2c", "jpc", "jpx", "jpf", "jph", "jhc"), mime="image/jp2",
        plugin="PIL.Jpeg2KImagePlugin", signature=rb"\0\0\0\x0cjP(?:  |\x1a\x1a)|\xff\x4f\xff\x51", opt_in=True, lossy=True,
        writable=False, decoder_copies=8,
    )  # fmt: skip

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        stated = jpeg2000.read(source.mapped())
        found = {"icc": stated.profile, "exif": stated.exif, "xmp": stated.xmp}
        return Header(
            format=cls.format,
            width=stated.width,
            height=stated.height,
            orientation=orientation_in(stated.exif),
            depth=HIGH_BITS if stated.depth > BYTE_BITS else BYTE_BITS,
            bands=max(stated.components, stated.palette[1]),
            metadata=frozenset(kind for kind, block in found.items() if block),
            metadata_size=sum(map(len, found.values())),
        )

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return jpeg2000.read(source.mapped()).exif

    @classmethod
    def metadata(cls, source: Input) -> Blocks:
        """Return EXIF and XMP."""
        stated = jpeg2000.read(source.mapped())
        return Blocks(exif=stated.exif, xmp=stated.xmp, resolution=resolution(stated.exif))

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        stated = jpeg2000.read(source.mapped())
        if options.fail_on != "none" and not jpeg2000.is_complete(source.mapped()):
            raise EOFError("its codestream is incomplete")
        image = pillow.decode(source, header, lenient=options.fail_on == "none")
        pixels = image.pixels
        if stated.components == FOUR_COLOURS == pixels.bands and describes(stated.profile, b"CMYK"):
            pixels = pixels.copy(interpretation="cmyk")
        elif image.has_alpha and stated.opacity == 0:
            pixels = pixels.extract_band(0, n=pixels.bands - 1)
        elif image.has_alpha and stated.opacity == jpeg2000.PREMULTIPLIED:
            pixels = pixels.unpremultiply().rint().cast(pixels.format).copy(interpretation=pixels.interpretation)
        if stated.profile:
            pixels = pixels.copy()
            pixels.set_type(pyvips.GValue.blob_type, PROFILE, stated.profile)
        return with_stated_colours(image.evolve(pixels=pixels), {"ICC": stated.profile})
