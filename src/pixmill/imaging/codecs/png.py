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

COMPRESSION = {"fast": 2, "default": 6, "best": 9}
OPTIMISATION = {"fast": 0, "default": 1, "best": 4}  # levels of oxipng, 0 to 6


class Png(Codec, frozen=True, kw_only=True, tag="png"):
    """PNG: lossless, with transparency and up to 16 bits per channel. Animations have 8 bits and no palette.

    Use it for drawings, screenshots, and images whose pixels must not change. ``palette`` reduces the image to at most 256
    colours, which makes drawings several times smaller.

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
        import oxipng  # noqa: PLC0415  # only for the option lossless

        chunks = png.scan(data)
        may_be_gray = not chunks.profile and not chunks.colour
        return oxipng.optimize_from_memory(data, level=OPTIMISATION[self.effort], grayscale_reduction=may_be_gray)

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        level = COMPRESSION[self.effort] if self.compression is None else self.compression
        if image.frames > 1:
            return pillow_animation.encode(image, self.format, compress_level=level)
        settings: dict[str, Setting] = {"compression": level, "interlace": self.progressive}
        if self.palette:
            bits = max(1, (self.colours - 1).bit_length())
            depth = next(depth for depth in (1, 2, 4, 8) if depth >= bits)
            settings |= {"palette": True, "bitdepth": depth, "dither": self.dither}
        return vips_save.save(image, "pngsave", **settings)


def _readable(source: Input, chunks: png.Chunks) -> Input:
    """Return ``source`` with its EXIF chunk where libpng reads it."""
    return source if chunks.late_exif is None else Input(png.with_early_exif(source.read(), chunks.late_exif))
