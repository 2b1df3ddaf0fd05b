"""``gif``: small animations with few colours."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.header import MAX_COLOURS, Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.metadata.containers import gif as gif_metadata
from pixmill.imaging.parsers import gif

EFFORTS = {"fast": 3, "default": 7, "best": 10}


class Gif(Codec, frozen=True, kw_only=True, tag="gif"):
    """GIF: at most 256 colours, with animation and 1-bit transparency.

    Use it if an animation must play everywhere; ``webp`` is much smaller.

    Example: ``--format gif:colours=64``
    """

    format: ClassVar = Format(
        library="libnsgif and cgif by libvips",
        name="gif", label="GIF", extensions=("gif",), mime="image/gif", signature=rb"GIF8[79]a", animation=True, max_side=65_535,
        profiles=(), decoder_copies=3, encoder_copies=5,
    )  # fmt: skip
    container: ClassVar = gif_metadata.CONTAINER

    effort: Effort = "default"
    colours: Annotated[int, Meta(ge=2, le=256, description="colours in the palette, rounded up to a power of two")] = 256
    dither: Annotated[float, Meta(ge=0, le=1, description="strength of dithering")] = 1.0
    progressive: Annotated[bool, Meta(description="write an interlaced file")] = False

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header; counts the frames without decoding them."""
        header = vips_load.read_header(source, cls.format, "gifload")
        width, height = gif.canvas_size(source.head)
        header = vips_load.evolve(
            header, width=max(width, header.width), height=max(height, header.height), palette_colours=MAX_COLOURS
        )
        return vips_load.evolve(header, bands=header.bands + 1) if _shows_background(source, header) else header

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return complete frames: each is drawn over the previous ones, and unpainted parts of the canvas are transparent."""
        image = vips_load.open_animation(source, "gifload", options)
        if not image.has_alpha and _shows_background(source, header):
            opacity = gif.painted_opacity(source.read(), image.width, image.height, count=image.frames)
            image = image.evolve(pixels=image.pixels.bandjoin(opacity))
        if (image.width, image.height) == (header.width, header.height):
            return image
        return image.map(lambda frame: frame.embed(0, 0, header.width, header.height))  # libvips takes large canvases for errors

    @classmethod
    def equivalents(cls, source: Input) -> Iterator[Input]:
        """Yield the file without bytes that belong to no block, which libvips takes for a frame."""
        if plain := gif.rewritten(source.read()):
            yield Input(plain)

    def encode(self, image: Image) -> bytes:
        """Return the encoded file."""
        bits = (self.colours - 1).bit_length()
        return vips_save.save(
            image, "gifsave", effort=EFFORTS[self.effort], bitdepth=bits, dither=self.dither, interlace=self.progressive
        )


def _shows_background(source: Input, header: Header) -> bool:
    return gif.shows_background(source.read(), header.width, header.height)
