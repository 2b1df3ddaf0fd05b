"""``Header``: what is known about an image before any pixel is decoded."""

import msgspec

from pixmill.imaging.format import Format

SIDEWAYS = range(5, 9)
ALPHA_BANDS = (2, 4)
MAX_COLOURS = 256  # of a palette


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The properties that a file declares.

    ``width`` and ``height`` describe one frame of the stored image, before ``orientation`` (1 to 8, as in EXIF) is applied.
    ``frames`` counts the images in the file: frames of an animation or pages of a document. ``depth`` is in bits per channel;
    ``bands`` counts channels, including alpha. ``scans`` counts the passes of a progressive JPEG; ``chroma_stretch`` says how much
    coarser the chroma of a JPEG is in one direction than in the other. ``progressive`` images cannot be decoded row by row,
    and those in tiles only ``tile_row_pixels`` at a time. ``palette_colours``: how many its palette can have; 0 without one.
    ``lossless``: a file in a format that is usually lossy is not. ``metadata_size`` is in bytes; ``metadata`` lists the kinds
    present: ``exif``, ``xmp``, ``iptc``, ``icc``.
    """

    format: Format
    width: int
    height: int
    orientation: int = 1
    frames: int = 1
    depth: int = 8
    bands: int = 3
    scans: int = 1
    chroma_stretch: int = 1
    progressive: bool = False
    tile_row_pixels: int = 0
    palette_colours: int = 0
    lossless: bool = False
    metadata_size: int = 0
    metadata: frozenset[str] = frozenset()

    @property
    def pixels(self) -> int:
        """Return the number of pixels of one frame."""
        return self.width * self.height

    @property
    def has_alpha(self) -> bool:
        """Return whether the number of channels allows for alpha; four may also be those of CMYK."""
        return self.format.alpha and self.bands in ALPHA_BANDS

    @property
    def is_lossless(self) -> bool:
        """Return whether the file has lost no detail."""
        return self.lossless or not self.format.lossy

    @property
    def upright(self) -> tuple[int, int]:
        """Return width and height after the orientation is applied."""
        return (self.height, self.width) if self.orientation in SIDEWAYS else (self.width, self.height)
