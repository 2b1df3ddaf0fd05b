"""``webp``: photographs and drawings for browsers, still and animated."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions, Effort, Lossless, interpolated
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Data, Input
from pixmill.imaging.metadata.containers import webp as webp_metadata

FLAGS, ALPHA_FLAG = 20, 0x10  # place and flag in the extended header (https://developers.google.com/speed/webp/docs/riff_container)
LOSSLESS_COPIES = 11
EFFORTS = {"fast": 2, "default": 4, "best": 6}
#: The quality for the encoder, by the quality asked for, with which its method 2 scores what the default method does (SSIMULACRA 2,
#: the mean of photographs in three sizes). Method 6 differs by less than half a point.
FAST_QUALITIES = {0: 0, 50: 48, 65: 63.7, 80: 80.3, 85: 85.7, 92: 93, 95: 95.8, 100: 100}


class Webp(Codec, frozen=True, kw_only=True, tag="webp"):
    """WebP: lossy or lossless, with transparency and animation, about a quarter smaller than JPEG.

    Use it for web pages. ``lossless`` suits drawings and screenshots; ``auto`` tells them from photographs by what is smaller.

    Example: ``--format webp:quality=75,lossless=auto``
    """

    format: ClassVar = Format(
        library="libwebp by libvips",
        name="webp", label="WebP", lossy=True, extensions=("webp",), mime="image/webp", signature=rb"RIFF....WEBP",
        animation=True, max_side=16_383, profiles=(b"RGB ",), decoder_copies=6,
    )  # fmt: skip
    container: ClassVar = webp_metadata.CONTAINER
    scores: ClassVar = {1: 3, 8: 25, 25: 45, 45: 58, 65: 67.5, 75: 71, 82: 78, 95: 87.5}

    quality: Annotated[int, Meta(ge=0, le=100, description="quality; with near_lossless, how close to lossless")] = 80
    effort: Effort = "default"
    lossless: Lossless = False
    near_lossless: Annotated[bool, Meta(description="lossless except for invisible changes")] = False
    alpha_quality: Annotated[int, Meta(ge=0, le=100, description="quality of the alpha channel")] = 100
    sharp_chroma: Annotated[bool, Meta(description="sharper edges between saturated colours; slower")] = False

    @property
    def encoder_copies(self) -> int:
        """Return how often the encoder keeps all pixels: without loss, it compares several ways to describe them."""
        return LOSSLESS_COPIES if self.lossless or self.near_lossless else super().encoder_copies

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        header = vips_load.read_header(source, cls.format, "webpload")
        return vips_load.evolve(header, lossless=is_lossless(source.mapped()))

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return vips_load.exif(source, "webpload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image; a still is scaled down while it is decoded."""
        scale = 1.0 if options.frames > 1 else min(1.0, 2 / options.shrink)
        return vips_load.open_animation(source, "webpload", options, scale=scale)

    def without_loss(self, data: bytes) -> bytes:
        """Return a still that is lossless with more effort; an animation or a lossy file as it is."""
        if not is_lossless(data):
            return data
        pixels = vips_load.load(Input(data), "webpload")
        return vips_save.save(Image(pixels), "webpsave", lossless=True, exact=True, effort=EFFORTS[self.effort])

    @property
    def _encoder_quality(self) -> int:
        """Return the quality for the encoder: without loss and nearly so, it means something else."""
        is_lossy = self.lossless is not True and not self.near_lossless
        return round(interpolated(FAST_QUALITIES, self.quality)) if self.effort == "fast" and is_lossy else self.quality

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        data = vips_save.save(
            image,
            "webpsave",
            Q=self._encoder_quality,
            effort=EFFORTS[self.effort],
            lossless=self.lossless is True,
            near_lossless=self.near_lossless,
            alpha_q=self.alpha_quality,
            smart_subsample=self.sharp_chroma,
        )
        return _with_alpha_flag(data) if image.frames > 1 and image.has_alpha else data


def is_lossless(data: Data) -> bool:
    """Return whether the file is a still without loss."""
    return any(chunk.name == webp_metadata.LOSSLESS for chunk in webp_metadata.chunks(data))


def _with_alpha_flag(data: bytes) -> bytes:
    """Return the file with the flag that says that it shows transparency.

    libwebp leaves it out where no frame has transparent pixels, though the canvas shows where frames are disposed of.
    """
    if data[12:16] != b"VP8X":
        return data
    return data[:FLAGS] + bytes([data[FLAGS] | ALPHA_FLAG]) + data[FLAGS + 1 :]
