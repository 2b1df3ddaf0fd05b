"""The largest pictures that limits allow, in the fewest bytes: of one colour, or of none."""

import importlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import pyvips
from PIL import Image

from pixmill.imaging.recipe import Recipe
from support import bmp_files

MAX_SIDE = 65_500  # the default limit of a side
WEBP_SIDE = 16_383
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
PLUGINS = {"HEIF": ("pillow_heif.HeifImagePlugin",), "JXL": ("pillow_jxl",)}
WHOLE = ((0, 0, 1, 1),)
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, interlaced: bool = False, chunks: bytes = b"") -> bytes:
    """Return a black PNG of the colour type ``colour``, with more ``chunks`` before its pixels."""
    packer, parts = zlib.compressobj(9), []
    for left, top, across, down in PASSES if interlaced else WHOLE:
        row = bytes(1 + -(-(width - left) // across * depth * PNG_CHANNELS[colour] // 8))
        parts += [packer.compress(row) for _ in range(-(-(height - top) // down))]
    header = png_chunk(b"IHDR", struct.pack(">2I5B", width, height, depth, colour, 0, 0, interlaced))
    pixels = png_chunk(b"IDAT", b"".join(parts) + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + header + chunks + pixels + png_chunk(b"IEND", b"")


def tiff(width: int, height: int, **options: object) -> bytes:
    """Return a black TIFF of 16 bits with alpha."""
    pixels = pyvips.Image.black(width, height, bands=4).cast("ushort").copy(interpretation="rgb16")
    return bytes(pixels.tiffsave_buffer(compression="deflate", **options))


def by_pillow(kind: str, mode: str, width: int, height: int, **options: object) -> bytes:
    """Return a picture of one colour that Pillow or a plugin of it writes; ``KeyError`` if neither does."""
    for plugin in PLUGINS.get(kind, ()):
        importlib.import_module(plugin)
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, kind, **options)
    return file.getvalue()


def moving(kind: str, mode: str, pixels: int) -> bytes:
    """Return an animation of a megapixel, all of whose frames together have so many ``pixels``."""
    file = io.BytesIO()
    frames = [Image.new(mode, (1000, 1000), number % 256) for number in range(pixels // 1_000_000)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=40)
    return file.getvalue()


def _square(pixels: int) -> tuple[int, int]:
    side = int(pixels**0.5)
    return side, side


def _flat(pixels: int, side: int = MAX_SIDE) -> tuple[int, int]:
    return side, pixels // side


class Kind(NamedTuple):
    """A kind of file: how to make one of so many pixels, the options that a run needs for it, and the recipe they mean."""

    make: Callable[[int], bytes]
    words: tuple[str, ...] = ()
    recipe: Recipe = Recipe()


JPEG2000 = ("--allow", "jpeg2000"), Recipe(allow=["jpeg2000"])
NOT_RESIZED = ("--size", "keep"), Recipe(steps=[])
KEPT = ("--animated", "keep", "--format", "webp"), Recipe(animated="keep", renditions=[{"encode": "webp"}])
KINDS = {
    "AVIF": Kind(lambda pixels: by_pillow("AVIF", "RGB", *_square(pixels), speed=10)),
    "AVIF with alpha": Kind(lambda pixels: by_pillow("AVIF", "RGBA", *_square(pixels), speed=10)),
    "BMP of 1 bit": Kind(lambda pixels: _bmp(*_square(pixels))),
    "GIF": Kind(lambda pixels: by_pillow("GIF", "P", *_square(pixels))),
    "GIF, animated": Kind(lambda pixels: moving("GIF", "P", pixels), *KEPT),
    "HEIC": Kind(lambda pixels: by_pillow("HEIF", "RGB", *_square(pixels), quality=10)),
    "JPEG": Kind(lambda pixels: by_pillow("JPEG", "RGB", *_square(pixels))),
    "JPEG, progressive": Kind(lambda pixels: by_pillow("JPEG", "RGB", *_square(pixels), progressive=True)),
    "JPEG, progressive CMYK": Kind(lambda pixels: by_pillow("JPEG", "CMYK", *_square(pixels), progressive=True)),
    "JPEG 2000": Kind(
        lambda pixels: by_pillow("JPEG2000", "RGB", *_square(pixels)), ("--allow", "jpeg2000"), Recipe(allow=["jpeg2000"])
    ),
    "JPEG XL": Kind(lambda pixels: by_pillow("JXL", "RGB", *_square(pixels), effort=1)),
    "JPEG XL with alpha": Kind(lambda pixels: by_pillow("JXL", "RGBA", *_square(pixels), effort=1, lossless=True)),
    "PNG": Kind(lambda pixels: png(*_square(pixels))),
    "PNG of 16 bits with alpha": Kind(lambda pixels: png(*_square(pixels), depth=16, colour=6)),
    "PNG of 16 bits with alpha, flat": Kind(lambda pixels: png(*_flat(pixels), depth=16, colour=6)),
    "PNG of 16 bits with alpha, interlaced": Kind(lambda pixels: png(*_square(pixels), depth=16, colour=6, interlaced=True)),
    "PNG of 16 bits with alpha, not resized": Kind(
        lambda pixels: png(*_square(pixels), depth=16, colour=6), ("--size", "keep"), Recipe(steps=[])
    ),
    "TIFF": Kind(lambda pixels: tiff(*_square(pixels))),
    "TIFF in tiles, flat": Kind(lambda pixels: tiff(*_flat(pixels), tile=True, tile_width=512, tile_height=512)),
    "WebP": Kind(lambda pixels: by_pillow("WEBP", "RGB", *_flat(pixels, WEBP_SIDE))),
    "WebP with alpha, lossless": Kind(lambda pixels: by_pillow("WEBP", "RGBA", *_flat(pixels, WEBP_SIDE), lossless=True)),
    "WebP, animated": Kind(lambda pixels: moving("WEBP", "RGB", pixels), *KEPT),
}


def _bmp(width: int, height: int) -> bytes:
    row = bytes(-(-width // 32) * 4)
    return bmp_files.bmp(row * height, 1, size=(width, height), colours=bmp_files.palette(2, gray=True))
