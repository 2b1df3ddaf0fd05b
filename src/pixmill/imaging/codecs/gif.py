"""``gif``: small animations of few colours."""

from typing import Annotated, ClassVar

from msgspec import Meta

from pixmill.imaging.backends import vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions, Effort
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import gif

EFFORTS = {"fast": 3, "default": 7, "best": 10}


class Gif(Codec, frozen=True, kw_only=True, tag="gif"):
    """GIF: at most 256 colours, with animation and on-or-off transparency.

    Use it where an animation must play everywhere; ``webp`` is much smaller.

    Example: ``--format gif:colours=64``
    """

    format: ClassVar = Format(
        name="gif", label="GIF", extensions=("gif",), mime="image/gif", signature=rb"GIF8[79]a", animation=True, max_side=65_535,
    )  # fmt: skip

    effort: Effort = "default"
    colours: Annotated[int, Meta(ge=2, le=256, description="colours in the palette, rounded up to a power of two")] = 256
    dither: Annotated[float, Meta(ge=0, le=1, description="dithering")] = 1.0
    progressive: Annotated[bool, Meta(description="an interlaced file")] = False

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return what the header says; counts the frames, which is done without decoding them."""
        header = vips_load.read_header(source, cls.format, "gifload")
        return vips_load.evolve(header, bands=header.bands + 1) if _is_bare(source, header) else header

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the frames, each complete: what was left from the one before is drawn, what none has painted is transparent."""
        image = vips_load.open_animation(source, header, "gifload", options)
        if image.has_alpha or not _is_bare(source, header):
            return image
        opacity = gif.painted(source.read(), image.width, image.height, count=image.frames)
        return image.evolve(pixels=image.pixels.bandjoin(opacity))

    def encode(self, image: Image) -> bytes:
        """Return the file."""
        bits = (self.colours - 1).bit_length()
        return vips_save.save(
            image, "gifsave", effort=EFFORTS[self.effort], bitdepth=bits, dither=self.dither, interlace=self.progressive
        )


def _is_bare(source: Input, header: Header) -> bool:
    return gif.is_bare(source.read(), header.width, header.height)
