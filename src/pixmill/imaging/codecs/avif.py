"""``avif``: the smallest photographs for current browsers."""

from contextlib import suppress
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from pixmill.imaging.backends import pillow, pillow_animation, vips_load, vips_save
from pixmill.imaging.backends.avif_nclx import with_nclx
from pixmill.imaging.codec import Codec, DecodeOptions, Effort, interpolated
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import heif as heif_metadata
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.parsers.heif.primary import Primary, read_primary
from pixmill.imaging.parsers.heif.sequence import frame_count
from pixmill.imaging.pixels import in_full_range, unpremultiplied

EFFORTS = {"fast": 1, "default": 3, "best": 7}  # 9 minus the speed of the encoder
#: The quality for the encoder, by the quality asked for, with which a file of this effort scores what one of the default effort
#: does (SSIMULACRA 2, the mean of photographs in two sizes).
QUALITIES: dict[str, dict[int, float]] = {
    "fast": {1: 1, 10: 13, 20: 23, 30: 33, 45: 47, 60: 61.4, 75: 76.3, 88: 89.5, 90: 90.8, 95: 95.8, 100: 100},
    "best": {1: 1, 30: 28.7, 50: 48.4, 70: 67.9, 85: 83, 92: 91.1, 100: 100},
}
#: The qualities for the encoder that make the same file as the one below: libheif has 64 steps (measured in libvips 8.18).
REPEATED = frozenset({
    2, 4, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 36,
    38, 41, 43, 46, 48, 51, 53, 57, 61, 65, 69, 73, 77, 81, 85, 89, 93, 97,
})  # fmt: skip
FASTEST, LOSSLESS, FULL_CHROMA = 9, 100, 90  # speed and quality of the encoder; the quality from which auto means 4:4:4
CHROMA = {"4:2:0": "on", "4:4:4": "off"}
MAX_GUARDED_PIXELS = 2**28  # above this, libavif refuses an image, and libheif unless it checks nothing; our own limits hold
BYTE_BITS, HIGH_BIT_DEPTH = 8, 10  # bits per channel of a file made from 16-bit pixels


class Avif(Codec, frozen=True, kw_only=True, tag="avif"):
    """AVIF: lossy or lossless, with transparency, about half the size of JPEG, slow to encode.

    Use it for web pages, alongside a format that old browsers support.

    Example: ``--format avif:quality=45,effort=fast``
    """

    format: ClassVar = Format(
        library="libavif by Pillow; libheif by libvips",
        name="avif", label="AVIF", lossy=True, extensions=("avif", "avifs"), mime="image/avif", plugin="PIL.AvifImagePlugin",
        signature=rb".{4}ftyp(?:.{4}){0,15}?avi[fs]", animation=True, depths=(8, 16),
        max_side=16_384, profiles=(b"RGB ",), decoder_copies=5, encoder_copies=9,
    )  # fmt: skip
    container: ClassVar = heif_metadata.CONTAINER
    scores: ClassVar = {1: -16, 20: 22, 40: 53, 60: 74.5, 80: 84.5, 89: 88, 95: 93}

    quality: Annotated[int, Meta(ge=1, le=100, description="quality; 50 is close to JPEG at 80")] = 50
    effort: Effort = "default"
    lossless: Annotated[bool, Meta(description="lossless compression")] = False
    subsampling: Annotated[
        Literal["auto", "4:2:0", "4:4:4"], Meta(description="chroma subsampling; auto uses 4:2:0 below quality 90")
    ] = "auto"

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header."""
        data = source.mapped()
        if header := _pillow_header(source, read_primary(data)):
            return header
        # libheif applies the container's rotations and mirrors, and counts no frames.
        frames = max(1, frame_count(data))
        return vips_load.evolve(vips_load.read_header(source, cls.format, "heifload"), orientation=1, frames=frames)

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return vips_load.exif(source, "heifload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the primary image, or the frames of a sequence, which must be complete pictures."""
        primary = read_primary(source.mapped())
        if options.frames > 1 and not primary.is_cropped:
            image = pillow_animation.decode(source, header, frames=options.frames)
        elif _pillow_header(source, primary):
            image = pillow.decode(source, header, lenient=options.fail_on == "none")
        else:
            image = vips_load.open_image(source, "heifload", options, unlimited=header.pixels > MAX_GUARDED_PIXELS)
            if primary.monochrome and not primary.full_range:
                image = image.map_colour(lambda luma: in_full_range(luma, primary.depth))
            image = _with_alpha(image, primary)
        return with_stated_colours(
            image, {"ICC": field(image.pixels, PROFILE, b""), "nclx": primary.nclx, "MaxCLL": primary.max_cll}
        )

    @property
    def _chroma(self) -> str:
        """Return the chroma subsampling of the file."""
        if self.subsampling != "auto":
            return self.subsampling
        return "4:4:4" if self.quality >= FULL_CHROMA else "4:2:0"

    @property
    def _encoder_quality(self) -> int:
        """Return the quality for the encoder."""
        return round(interpolated(QUALITIES[self.effort], self.quality)) if self.effort in QUALITIES else self.quality

    def by_quality(self) -> tuple[Codec, ...]:
        """Return the qualities that may be searched for, of those that make the same file only the lowest."""
        rungs = [rung for rung in super().by_quality() if isinstance(rung, Avif)]
        return tuple({rung.encoder_step: rung for rung in reversed(rungs)}.values())[::-1]

    @property
    def encoder_step(self) -> tuple[int, str]:
        """Return what tells the files of two qualities apart: the encoder's step, and the chroma subsampling."""
        quality = self._encoder_quality
        return quality - sum(repeated <= quality for repeated in REPEATED), self._chroma

    def encode(self, image: Image) -> bytes:
        """Return the encoded file; a sequence has 8 bits."""
        if image.frames > 1:
            return self._encode_sequence(image)
        data = vips_save.save(
            image,
            "heifsave",
            compression="av1",
            Q=self._encoder_quality,
            effort=EFFORTS[self.effort],
            lossless=self.lossless,
            subsample_mode=CHROMA[self._chroma],
            bitdepth=HIGH_BIT_DEPTH if image.max_value > 255 else 8,  # noqa: PLR2004  # 16 bits
        )
        return with_nclx(data)

    def _encode_sequence(self, image: Image) -> bytes:
        return pillow_animation.encode(
            image,
            self.format,
            quality=LOSSLESS if self.lossless else self._encoder_quality,
            subsampling=self._chroma,
            speed=FASTEST - EFFORTS[self.effort],
            max_threads=1,
        )


def _with_alpha(image: Image, primary: Primary) -> Image:
    """Return ``image``, decoded by libheif, with alpha and colours as ``primary`` states them, which libheif ignores."""
    pixels = image.pixels
    if not pixels.hasalpha():
        return image
    if not primary.has_full_alpha:
        colours, alpha = pixels[: pixels.bands - 1], in_full_range(pixels[pixels.bands - 1], primary.depth)
        pixels = colours.bandjoin(alpha).copy(interpretation=pixels.interpretation)
    if primary.is_premultiplied:
        pixels = unpremultiplied(pixels, white=image.max_value)
    return image.evolve(pixels=pixels)


def _pillow_header(source: Input, primary: Primary) -> Header | None:
    """Return the header if Pillow's decoder reads the image: in a third of libheif's time, and gray and alpha of limited range.

    It reduces everything to 8 bits, ignores the clean aperture, has a limit of its own, and refuses some files that libheif reads.
    """
    if primary.depth != BYTE_BITS or primary.pixels > MAX_GUARDED_PIXELS or primary.is_cropped:
        return None
    with suppress(Exception):
        return pillow.header(source, Avif.format)
    return None
