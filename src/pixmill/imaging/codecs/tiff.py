"""``tiff``: masters for print and archives."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata import fields, tiff_exif
from pixmill.imaging.parsers import tiff

LARGEST = 2**32 - 2**24  # bytes of pixels; beyond, offsets of 32 bits may not reach and the file becomes a BigTIFF
LOSSY = ("jpeg",)


class Tiff(Codec, frozen=True, kw_only=True, tag="tiff"):
    """TIFF: lossless, up to 16 bits a channel, read by whatever prints or archives.

    Use it for masters. ``tiled`` files open fast in viewers of very large pictures.

    Example: ``--format tiff:compression=deflate``
    """

    format: ClassVar = Format(
        name="tiff", label="TIFF", extensions=("tif", "tiff"), mime="image/tiff", pages="pages", depths=(8, 16),
        signature=rb"II\*\0|MM\0\*|II\x2b\0\x08\0|MM\0\x2b\0\x08", streams=True,
    )  # fmt: skip

    compression: Annotated[Literal["none", "lzw", "deflate", "jpeg"], Meta(description="how pixels are packed")] = "deflate"
    quality: Annotated[int, Meta(ge=1, le=100, description="quality when the compression is jpeg")] = 85
    tiled: Annotated[bool, Meta(description="tiles instead of strips")] = False

    @property
    def lossy_quality(self) -> int | None:
        """Return the quality where the compression has one."""
        return self.quality if self.compression in LOSSY else None

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says of the first page."""
        tags = tiff.read(source)
        if tags.get(tiff.PHOTOMETRIC) == (tiff.YCBCR,) and tags.get(tiff.PLANAR) == (tiff.SEPARATE_PLANES,):
            raise UnsupportedError("this kind of TIFF is not supported: YCbCr in separate planes")
        return vips_load.read_header(source, cls.format, "tiffload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the first page."""
        return vips_load.open_image(source, header, "tiffload", options, opacity=tiff.opacity(tiff.read(source)))

    def encode(self, image: Image) -> bytes:
        """Return the file."""
        pixels = image.pixels
        size = pixels.width * pixels.height * pixels.bands * (2 if image.max_value > 255 else 1)  # noqa: PLR2004  # 16 bits
        data = vips_save.save(
            image,
            "tiffsave",
            compression=self.compression,
            predictor="none" if self.compression in (*LOSSY, "none") else "horizontal",
            Q=self.quality,
            tile=self.tiled,
            bigtiff=size > LARGEST,
        )
        return tiff_exif.insert(data, fields.exif_block(image.pixels))
