"""``png``: lossless drawings and screenshots, with transparency."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.imaging.backends import pillow_animation, vips_load, vips_save
from pixmill.imaging.backends.vips_load import Setting
from pixmill.imaging.codec import Codec, DecodeOptions, Effort
from pixmill.imaging.colour.stated import with_stated_colours
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import png as png_metadata
from pixmill.imaging.metadata.fields import PROFILE, field
from pixmill.imaging.parsers import png, png_rewriting

COMPRESSION = {"fast": 3, "default": 6, "best": 9}
OPTIMISATION = {"fast": 0, "default": 1, "best": 4}  # levels of oxipng, 0 to 6, for files that are copied without loss
#: The zlib level of a file that oxipng then makes smaller, and its level: the next one saves 6 % in three times the time.
FIRST_COMPRESSION, ENCODER_OPTIMISATION = 1, 0
MAX_OPTIMISED = 128_000_000  # bytes of pixels; a larger image is streamed, and oxipng would keep all of it
OPTIMISED_COPIES = 9  # of the pixels in oxipng and before it


class Png(Codec, frozen=True, kw_only=True, tag="png"):
    """PNG: lossless, with transparency and up to 16 bits per channel. Animations have 8 bits and no palette.

    Use it for drawings, screenshots, and images whose pixels must not change. ``palette`` reduces the image to at most 256
    colours, which makes drawings several times smaller. The effort ``best`` chooses filters, bits and a palette that keep every
    pixel: a third smaller, and three times as slow to write.

    Example: ``--format png:palette=true``
    """

    format: ClassVar = Format(
        library="libpng by libvips; Pillow for animations",
        name="png", label="PNG", extensions=("png", "apng", "pns"), mime="image/png", signature=rb"\x89PNG\r\n\x1a\n",
        plugin="PIL.PngImagePlugin", end=b"IEND", animation=True, depths=(8, 16), streams=True,
    )  # fmt: skip
    container: ClassVar = png_metadata.CONTAINER

    compression: Annotated[int, Meta(ge=0, le=9, description="zlib level; default: set by the effort")] | None = None
    effort: Effort = "default"
    progressive: Annotated[bool, Meta(description="write an interlaced file, about a quarter larger")] = False
    palette: Annotated[bool, Meta(description="reduce the image to a palette")] = False
    colours: Annotated[int, Meta(ge=2, le=256, description="maximum number of colours in the palette")] = 256
    dither: Annotated[float, Meta(ge=0, le=1, description="strength of dithering with a palette")] = 1.0

    @property
    def profiles(self) -> tuple[bytes, ...]:
        """Return the colour spaces of the profiles that the file can carry: a palette is always RGB."""
        return (b"RGB ",) if self.palette else super().profiles

    def with_fewer_colours(self) -> "Png | None":
        """Return the codec that writes a palette."""
        return None if self.palette else self.evolve(palette=True)

    def with_exact_palette(self, colours: int) -> "Png | None":
        """Return the codec that writes a palette without dithering."""
        return None if self.palette else self.evolve(palette=True, dither=0.0, colours=colours)

    @property
    def encoder_copies(self) -> int:
        """Return how often the encoder keeps all pixels."""
        return OPTIMISED_COPIES if self._is_optimised else super().encoder_copies

    @property
    def _is_optimised(self) -> bool:
        """Return whether oxipng chooses filters, bits and palette: not beside a zlib level, which it would not keep to."""
        return self.effort == "best" and self.compression is None

    @classmethod
    def stated_header(cls, source: Input) -> Header:
        """Return the size of the texts, which libpng unpacks when it opens the file."""
        return Header(format=cls.format, width=0, height=0, metadata_size=png.text_bytes(source.mapped()))

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header; counts the frames of an animated PNG."""
        chunks = png.scan(source.mapped())
        header = vips_load.read_header(_readable(source, chunks), cls.format, "pngload")
        return vips_load.evolve(header, frames=chunks.frames, progressive=chunks.interlaced, palette_colours=chunks.palette_colours)

    @classmethod
    def exif(cls, source: Input) -> bytes:
        """Return the EXIF block."""
        return vips_load.exif(_readable(source, png.scan(source.mapped())), "pngload")

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the image or the frames of an animated PNG, with an ICC profile for its colour chunks."""
        chunks = png.scan(source.mapped())
        if options.frames > 1:
            image = pillow_animation.decode(source, header, frames=options.frames)
        else:
            image = vips_load.open_image(_readable(source, chunks), "pngload", options)
        profile = field(image.pixels, PROFILE) or png.profile_in(chunks.profile)
        notes = () if profile or not chunks.profile else ("profile-ignored",)
        return with_stated_colours(
            image.evolve(notes=notes), {**chunks.colour, "ICC": profile, "MaxCLL": chunks.colour.get("cLLI", b"")[:4]}
        )

    @classmethod
    def equivalents(cls, source: Input) -> Iterator[Input]:
        """Yield the file with right checksums of its chunks, if its pixels are there and theirs is right."""
        if plain := png_rewriting.rewritten(source.read()):
            yield Input(plain)

    def without_loss(self, data: bytes) -> bytes:
        """Return the file with other filters, fewer bits or a palette; gray only if it states no colours."""
        return _optimised(data, level=OPTIMISATION[self.effort])

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        level = COMPRESSION[self.effort] if self.compression is None else self.compression
        if image.frames > 1:
            return pillow_animation.encode(image, self.format, compress_level=level)
        is_optimised = self._is_optimised and _pixel_bytes(image) <= MAX_OPTIMISED
        level = FIRST_COMPRESSION if is_optimised else level
        settings: dict[str, Setting] = {"compression": level, "interlace": self.progressive}
        if self.palette:
            bits = max(1, (self.colours - 1).bit_length())
            depth = next(depth for depth in (1, 2, 4, 8) if depth >= bits)
            settings |= {"palette": True, "bitdepth": depth, "dither": self.dither}
        data = vips_save.save(image, "pngsave", **settings)
        return _optimised(data, level=ENCODER_OPTIMISATION, is_interlaced=self.progressive) if is_optimised else data


def _optimised(data: bytes, *, level: int, is_interlaced: bool = False) -> bytes:
    """Return the file with the same pixels, made smaller by ``level`` of oxipng; gray only if it states no colours."""
    import oxipng  # noqa: PLC0415  # only for the effort best and the option lossless

    chunks = png.scan(data)
    may_be_gray = not chunks.profile and not chunks.colour
    interlacing = oxipng.Interlacing.Adam7 if is_interlaced else oxipng.Interlacing.Off
    return oxipng.optimize_from_memory(data, level=level, grayscale_reduction=may_be_gray, interlace=interlacing)


def _pixel_bytes(image: Image) -> int:
    pixels = image.pixels
    samples: int = pixels.width * pixels.height * pixels.bands
    return samples * (1 if pixels.format == "uchar" else 2)


def _readable(source: Input, chunks: png.Chunks) -> Input:
    """Return ``source`` with its EXIF chunk where libpng reads it."""
    return source if chunks.late_exif is None else Input(png.with_early_exif(source.read(), chunks.late_exif))
