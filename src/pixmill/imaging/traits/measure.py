"""Find the traits of a picture."""

from base64 import b64encode

import pyvips

from pixmill.imaging.image import Image
from pixmill.imaging.traits.dhash import dhash
from pixmill.imaging.traits.dominant_color import dominant_color
from pixmill.imaging.traits.small_picture import MAX_SIDE, SAMPLES, SmallPicture, small_picture
from pixmill.imaging.traits.thumbhash import thumbhash
from pixmill.imaging.traits.traits import Traits


def traits_of(image: Image, captured_at: str, *, orientation: int = 1) -> Traits:
    """Return the traits of ``image``, whose pixels must be in memory; ``orientation``, as in EXIF, makes it upright."""
    return _traits(small_picture(image, orientation), captured_at)


def traits_of_file(data: bytes, captured_at: str) -> Traits | None:
    """Return the traits of the image file ``data``, an upright picture; ``None`` if libvips does not read its format."""
    try:
        pixels = pyvips.Image.thumbnail_buffer(data, MAX_SIDE * SAMPLES, size="down", no_rotate=True)
        return _traits(small_picture(Image(pixels)), captured_at)
    except pyvips.Error:
        return None


def _traits(picture: SmallPicture, captured_at: str) -> Traits:
    return Traits(b64encode(thumbhash(picture)).decode(), dominant_color(picture), dhash(picture), captured_at)
