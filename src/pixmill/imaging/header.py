"""``Header``: what a file says of its picture before any pixel is decoded."""

import msgspec

from pixmill.imaging.format import Format

SIDEWAYS = range(5, 9)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself.

    ``width`` and ``height`` are of the stored picture (one frame of it), before ``orientation`` (1 to 8, as in EXIF) is
    applied. ``frames`` counts pictures in the file: frames of an animation, pages of a document. ``depth`` is bits a
    channel, ``bands`` channels with alpha. ``scans`` counts the passes of a progressive JPEG. ``progressive`` pictures
    cannot be decoded row by row. ``metadata_size`` is in bytes, ``metadata``
    the kinds that there are: ``exif``, ``xmp``, ``iptc``, ``icc``.
    """

    format: Format
    width: int
    height: int
    orientation: int = 1
    frames: int = 1
    depth: int = 8
    bands: int = 3
    scans: int = 1
    progressive: bool = False
    metadata_size: int = 0
    metadata: frozenset[str] = frozenset()

    @property
    def pixels(self) -> int:
        """Return the number of pixels of one frame."""
        return self.width * self.height

    @property
    def upright(self) -> tuple[int, int]:
        """Return width and height once the orientation is applied."""
        return (self.height, self.width) if self.orientation in SIDEWAYS else (self.width, self.height)
