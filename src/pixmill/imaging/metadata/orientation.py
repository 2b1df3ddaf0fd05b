"""Find the orientation of an image: one of the eight of EXIF (tag 0x0112), each a rotation with or without a mirror."""

import re
from typing import Literal

import pyvips

from pixmill.imaging.metadata.fields import field

#: For each orientation, the clockwise rotation and the flip after it that make the image upright.
CORRECTIONS = {
    2: (None, "horizontal"), 3: ("d180", None), 4: (None, "vertical"), 5: ("d90", "horizontal"),
    6: ("d90", None), 7: ("d270", "horizontal"), 8: ("d270", None),
}  # fmt: skip
BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
ORIENTATION_TAG_AND_TYPE = (0x0112, 3)
ENTRY_BYTES = 12  # of an EXIF directory
ORIENTATION_IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\b")


def recorded_orientation(pixels: pyvips.Image) -> int:
    """Return the orientation from EXIF or else XMP; 1 if it is absent or invalid."""
    value = field(pixels, "orientation")
    if value is None and (found := ORIENTATION_IN_XMP.search(field(pixels, "xmp-data", b""))):
        value = int(found[1])
    return value if value in CORRECTIONS else 1


def orientation_in(block: bytes) -> int:
    """Return the orientation in an EXIF ``block``; 1 if it is absent or invalid."""
    block = block.removeprefix(b"Exif\0\0")
    order = BYTE_ORDERS.get(block[:4])
    if order is None:
        return 1

    def number(offset: int, size: int = 2) -> int:
        return int.from_bytes(block[offset : offset + size], order)

    start = number(4, size=4)
    entries = range(start + 2, start + 2 + ENTRY_BYTES * number(start), ENTRY_BYTES)
    value = next((number(entry + 8) for entry in entries if (number(entry), number(entry + 2)) == ORIENTATION_TAG_AND_TYPE), 1)
    return value if value in CORRECTIONS else 1
