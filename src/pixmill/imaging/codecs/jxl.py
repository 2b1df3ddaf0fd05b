"""``jxl``: JPEG XL; requires the extra ``jxl``."""

from typing import Annotated, ClassVar

from msgspec import Meta, structs

from pixmill.core.errors import UnsupportedError
from pixmill.imaging.backends import pillow, vips_load
from pixmill.imaging.codec import Codec, DecodeOptions, Effort, Lossless
from pixmill.imaging.colour.icc_read import describes
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.blocks import Blocks
from pixmill.imaging.metadata.containers import jxl as jxl_metadata
from pixmill.imaging.metadata.exif import resolution
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.parsers import jxl

BYTE_BITS, HIGH_BITS = 8, 16
EFFORTS = {"fast": 3, "default": 7, "best": 9}


class Jxl(Codec, frozen=True, kw_only=True, tag="jxl"):
    """JPEG XL: lossy or lossless, with transparency, smaller than older formats. Requires the extra ``jxl``.

    Use it for archives; few browsers support it.

    Example: ``--format jxl:lossless=true``
    """

    format: ClassVar = Format(
        library="libjxl",
        name="jxl", label="JPEG XL", lossy=True, extensions=("jxl",), mime="image/jxl", extra="jxl", plugin="pillow_jxl",
        signature=rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", max_side=2**30, profiles=(),
        decoder_copies=5, encoder_copies=14,
    )  # fmt: skip
    container: ClassVar = jxl_metadata.CONTAINER
    scores: ClassVar = {5: 22, 20: 41, 35: 56, 60: 67, 78: 77, 85: 84, 95: 91.5}

    quality: Annotated[int, Meta(ge=0, le=100, description="quality")] = 85
    effort: Effort = "default"
    lossless: Lossless = False

    @classmethod
    def stated_header(cls, source: Input) -> Header:
        """Return width and height; the plugin decodes the pixels when it opens a file."""
        stated = jxl.read(source)
        return Header(format=cls.format, width=stated.width, height=stated.height)

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header; the decoder applies the orientation."""
        stated = jxl.read(source)
        frames = 2 if stated.is_animation else 1  # how many, only decoding would tell
        return vips_load.evolve(
            pillow.header(source, cls.format), frames=frames, depth=HIGH_BITS if stated.depth > BYTE_BITS else BYTE_BITS
        )

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return pillow.exif(source, cls.format)

    @classmethod
    def metadata(cls, source: Input) -> Blocks:
        """Return the metadata; compressed boxes, as in a transcoded JPEG, are read by the plugin."""
        blocks = super().metadata(source)
        if not blocks.is_incomplete:
            return blocks
        block, packet = pillow.compressed_metadata(source, cls.format)
        return structs.replace(
            blocks,
            exif=blocks.exif or block,
            xmp=blocks.xmp or packet,
            resolution=blocks.resolution or resolution(block),
            is_incomplete=jxl_metadata.has_compressed(source.mapped(), without={b"Exif": block, b"xml ": packet}),
        )

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image."""
        image = pillow.decode(source, header, lenient=options.fail_on == "none")
        profile = field(image.pixels, PROFILE, b"")
        if describes(profile, b"CMYK"):  # the plugin drops the black channel
            raise UnsupportedError(f"this kind of {cls.format.label} is not supported: CMYK")
        return with_stated_colours(image, {"ICC": profile})

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        settings = {"quality": self.quality, "effort": EFFORTS[self.effort], "lossless": self.lossless is True}
        return pillow.encode(image, self.format, num_threads=0, **settings)  # in no other thread than the worker's own
