"""``ico``: icons of web sites and of Windows programs."""

import re
from typing import Annotated, ClassVar, Self

import pyvips
from msgspec import Meta

from pixmill.imaging.backends import bmp_pixels, vips_load, vips_save
from pixmill.imaging.codec import Codec, DecodeOptions
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.compositing import embed
from pixmill.imaging.format import Format
from pixmill.imaging.header import Header
from pixmill.imaging.image import Image
from pixmill.imaging.input import Input
from pixmill.imaging.parsers import ico

TRANSPARENT = Colour(0, 0, 0, alpha=0)
OPAQUE = 255


class Sides:
    """The sides of the images in an icon, in pixels: ``16+32+48``, or in TOML and Python ``[16, 32, 48]``."""

    __slots__ = ("sides",)
    expected: ClassVar[str] = f"sides from 1 to {ico.LARGEST_SIDE} such as 16+32+48"

    def __init__(self, *sides: int) -> None:
        """Store the sides, each once, from the smallest. Raise ``ValueError`` unless there are some, each from 1 to 256."""
        if not sides or not all(1 <= side <= ico.LARGEST_SIDE for side in sides):
            raise ValueError(self.expected)
        self.sides = tuple(sorted(set(sides)))

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``. Raise ``ValueError`` if it is something else."""
        parts = value if isinstance(value, list | tuple) else re.split(r"\s*\+\s*", str(value).strip())
        if not all(str(part).isdecimal() for part in parts):
            raise ValueError(cls.expected)
        return cls(*(int(part) for part in parts))

    def up_to(self, side: int) -> tuple[int, ...]:
        """Return the sides up to ``side``, in which an image is not enlarged; if all are longer, the shortest."""
        return tuple(each for each in self.sides if each <= side) or self.sides[:1]

    def to_builtin(self) -> str:
        """Return the canonical text."""
        return "+".join(map(str, self.sides))

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Sides) and self.sides == other.sides

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self.sides)


class Ico(Codec, frozen=True, kw_only=True, tag="ico"):
    """ICO: icons, for a web site's ``favicon.ico`` and for Windows programs. Read, with cursors (CUR), only with ``--allow ico``.

    The file holds the image in several sizes. Each is a square, with transparent margins around an image that is not, and none is
    larger than the image. When an icon is read, its largest image is taken.

    Example: ``--format ico:sizes=16+32+48``
    """

    format: ClassVar = Format(
        library="numpy, libspng by libvips",
        name="ico", label="ICO", extensions=("ico", "cur"), mime="image/vnd.microsoft.icon",
        signature=rb"\0\0[\x01\x02]\0[^\0]\0.{3}\0", opt_in=True, profiles=(), decoder_copies=6,
    )  # fmt: skip

    sizes: Annotated[Sides, Meta(description="sides of the images in the file, in pixels")] = Sides(16, 32, 48, 256)

    @classmethod
    def header(cls, source: Input) -> Header:
        """Return the header of the largest image."""
        icon = ico.largest(source.read())
        return Header(format=cls.format, width=icon.width, height=icon.height, bands=icon.bands, depth=icon.depth)

    @classmethod
    def decode(cls, source: Input, header: Header, *, options: DecodeOptions) -> Image:
        """Return the largest image."""
        icon = ico.largest(source.read())
        if icon.bitmap is None:
            return vips_load.open_image(Input(icon.data), "pngload", options)
        image = bmp_pixels.decode(icon.data, icon.bitmap, lenient=options.fail_on == "none")
        return image if image.has_alpha or not any(icon.mask) else _masked(image, icon)

    def prepared(self, image: Image) -> Image:
        """Return the largest image of the file."""
        return _square(image, self.sizes.up_to(max(image.width, image.height))[-1])

    def encode(self, image: Image) -> bytes:
        """Return the encoded file; the images are PNG, which browsers read since 2008 and Windows since Vista."""
        sides = self.sizes.up_to(image.width)
        return ico.packed([(side, vips_save.save(_square(image, side), "pngsave", compression=9)) for side in sides])


def _masked(image: Image, icon: ico.Icon) -> Image:
    """Return ``image`` with the mask of ``icon`` as its alpha."""
    import numpy as np  # noqa: PLC0415  # as everywhere in imaging: most images never become an array

    rows = np.frombuffer(icon.mask, np.uint8).reshape(icon.height, -1)[::-1]
    transparent = np.unpackbits(rows, axis=1, count=icon.width)
    return image.evolve(pixels=image.pixels.bandjoin(pyvips.Image.new_from_array((1 - transparent) * np.uint8(OPAQUE))))


def _square(image: Image, side: int) -> Image:
    """Return ``image`` inside a square, reduced if it is larger, in its middle."""
    pixels = image.pixels.copy_memory()
    if max(image.width, image.height) > side:
        pixels = pixels.thumbnail_image(side, height=side, size="down")
    margins = (side - pixels.width) // 2, (side - pixels.height) // 2
    return embed(image.evolve(pixels=pixels), (side, side), offset=margins, background=TRANSPARENT)
