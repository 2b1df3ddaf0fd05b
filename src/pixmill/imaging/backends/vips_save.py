"""From pixels to a file through libvips."""

import pyvips

from pixmill.imaging.backends.vips_load import Setting
from pixmill.imaging.image import Image
from pixmill.imaging.metadata import fields


def save(image: Image, saver: str, **settings: Setting) -> bytes:
    """Return the file that the libvips ``saver`` makes of ``image``, with the metadata that its pixels carry."""
    pixels = animated(image) if image.frames > 1 else image.pixels
    data: bytes = pyvips.Operation.call(
        f"{saver}_buffer", pixels, keep="|".join(sorted(fields.kinds(pixels))) or "none", **settings
    )
    return data


def animated(image: Image) -> pyvips.Image:
    """Return the pixels marked as frames with delays and repetitions, as savers of animations read them."""
    pixels = image.pixels.copy()
    pixels.set_type(pyvips.GValue.gint_type, "page-height", image.height)
    pixels.set_type(pyvips.GValue.array_int_type, "delay", list(image.delays))
    pixels.set_type(pyvips.GValue.gint_type, "loop", image.loop)
    return pixels
