"""Encode pixels with libvips."""

import pyvips

from pixmill.imaging.backends.vips_load import Setting
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import fields


def save(image: Image, saver: str, **settings: Setting) -> bytes:
    """Return ``image`` encoded by the libvips ``saver``, with the profile of its pixels and no other metadata."""
    pixels = animated(image) if image.frames > 1 else image.pixels.copy()
    pixels.remove("orientation")  # of the source: the TIFF saver writes it, whatever is to be kept, and the image is upright
    data: bytes = pyvips.Operation.call(f"{saver}_buffer", pixels, keep="icc" if fields.profile(pixels) else "none", **settings)
    return data


def animated(image: Image) -> pyvips.Image:
    """Return the pixels with the fields for page height, delays and repetitions that animation savers read."""
    pixels = image.pixels.copy()
    pixels.set_type(pyvips.GValue.gint_type, "page-height", image.height)
    pixels.set_type(pyvips.GValue.array_int_type, "delay", list(image.delays))
    pixels.set_type(pyvips.GValue.gint_type, "loop", image.loop)
    return pixels
