"""Rotate images upright: the eight orientations of EXIF (tag 0x0112), each a rotation with or without a mirror."""

import re

import pyvips

from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import field

#: For each orientation, the clockwise rotation and the flip after it that make the image upright.
CORRECTIONS = {
    2: (None, "horizontal"), 3: ("d180", None), 4: (None, "vertical"), 5: ("d90", "horizontal"),
    6: ("d90", None), 7: ("d270", "horizontal"), 8: ("d270", None),
}  # fmt: skip
ORIENTATION_IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\b")


def recorded_orientation(pixels: pyvips.Image) -> int:
    """Return the orientation from EXIF or else XMP; 1 if it is absent or invalid."""
    value = field(pixels, "orientation")
    if value is None and (found := ORIENTATION_IN_XMP.search(field(pixels, "xmp-data", b""))):
        value = int(found[1])
    return value if value in CORRECTIONS else 1


def autorotated(image: Image, orientation: int) -> Image:
    """Return ``image`` rotated upright from ``orientation`` (1 to 8, as in EXIF)."""
    if orientation not in CORRECTIONS:
        return image
    turn, mirror = CORRECTIONS[orientation]
    upright = image.evolve(pixels=image.pixels.copy_memory())
    if turn is not None:
        upright = upright.map(lambda pixels: pixels.rot(turn))
    return upright if mirror is None else upright.map(lambda pixels: pixels.flip(mirror))
