"""``avif``: the smallest photographs for current browsers."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input

EFFORTS = {"fast": 2, "default": 4, "best": 7}
CHROMA = {"auto": "auto", "4:2:0": "on", "4:4:4": "off"}
MAX_GUARDED_PIXELS = 2**28  # above this, libheif refuses an image unless it is told to check nothing; our own limits hold
HIGH_BIT_DEPTH = 10  # bits per channel of a file made from 16-bit pixels


class Avif(Codec, frozen=True, kw_only=True, tag="avif"):
    """AVIF: lossy or lossless, with transparency, about half the size of JPEG, slow to encode.

    Use it for web pages, alongside a format that old browsers support.

    Example: ``--format avif:quality=45,effort=fast``
    """

    format: ClassVar = Format(
        name="avif", label="AVIF", extensions=("avif",), mime="image/avif", signature=rb".{4}ftyp(?:.{4}){0,15}?avi[fs]",
        depths=(8, 16), max_side=16_384,
    )  # fmt: skip

    quality: Annotated[int, Meta(ge=1, le=100, description="quality; 50 is close to JPEG at 80")] = 50
    effort: Effort = "default"
    lossless: Annotated[bool, Meta(description="lossless compression")] = False
    subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"], Meta(description="chroma subsampling; auto uses 4:2:0 below quality 90")
    ] = "auto"

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header; the decoder applies the container's rotations and mirrors."""
        return vips_load.evolve(vips_load.read_header(source, cls.format, "heifload"), orientation=1)

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return vips_load.exif(source, "heifload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the primary image."""
        return vips_load.open_image(source, "heifload", options, unlimited=header.pixels > MAX_GUARDED_PIXELS)

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        return vips_save.save(
            image,
            "heifsave",
            compression="av1",
            Q=self.quality,
            effort=EFFORTS[self.effort],
            lossless=self.lossless,
            subsample_mode=CHROMA[self.subsampling],
            bitdepth=HIGH_BIT_DEPTH if image.max_value > 255 else 8,  # noqa: PLR2004  # 16 bits
        )
