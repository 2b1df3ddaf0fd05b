"""Turn a picture upright: the eight orientations of EXIF (tag 0x0112), each a turn and perhaps a mirror."""

import re

import pyvips

from pixmill.imaging.image import Image
from pixmill.imaging.metadata.fields import field

#: The clockwise turn, and the mirror after it, that bring a picture of each orientation upright.
MOVES = {
    2: (None, "horizontal"), 3: ("d180", None), 4: (None, "vertical"), 5: ("d90", "horizontal"),
    6: ("d90", None), 7: ("d270", "horizontal"), 8: ("d270", None),
}  # fmt: skip
IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\b")


def recorded_orientation(pixels: pyvips.Image) -> int:
    """Return the orientation that the file asks for, in EXIF or else in XMP; 1 for none and for garbage."""
    value = field(pixels, "orientation")
    if value is None and (found := IN_XMP.search(field(pixels, "xmp-data", b""))):
        value = int(found[1])
    return value if value in MOVES else 1


def autorotated(image: Image, orientation: int) -> Image:
    """Return ``image`` as it is meant to be looked at."""
    if orientation not in MOVES:
        return image
    turn, mirror = MOVES[orientation]
    held = image.evolve(pixels=image.pixels.copy_memory())
    if turn is not None:
        held = held.map(lambda pixels: pixels.rot(turn))
    return held if mirror is None else held.map(lambda pixels: pixels.flip(mirror))
