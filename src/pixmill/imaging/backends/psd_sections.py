"""Read the sections of a PSD or PSB file: what it says about its flattened image, and where that begins.

Source: Adobe Photoshop file formats specification.
"""

import struct
from mmap import mmap
from typing import NamedTuple

from pixmill.imaging.metadata import iptc

Data = bytes | mmap
HEADER, LARGE_DOCUMENT = struct.Struct(">4sH6xH2I2H"), 2
BITMAP, GRAY, INDEXED, RGB, CMYK, MULTICHANNEL, DUOTONE, LAB = 0, 1, 2, 3, 4, 7, 8, 9
#: The number of colours of each mode; of a picture in many inks, the first is taken.
COLOURS = {BITMAP: 1, GRAY: 1, INDEXED: 1, RGB: 3, CMYK: 4, DUOTONE: 1, LAB: 3}
DEPTHS, MAX_CHANNELS, PALETTE_BYTES = (1, 8, 16), 56, 768
PROFILE, EXIF, XMP, VERSION, HAS_COMPOSITE = 0x040F, 0x0422, 0x0424, 0x0421, 4  # resources, and a byte of the last


class Psd(NamedTuple):
    """What a file says about its flattened image, whose compression is stated at ``start``.

    ``channels`` counts those that are stored. ``has_opacity``: the first channel after the colours is the opacity of the image,
    not a selection that someone saved.
    """

    is_large: bool
    channels: int
    width: int
    height: int
    depth: int
    mode: int
    palette: bytes
    resources: bytes
    has_opacity: bool
    start: int

    @property
    def colours(self) -> int:
        """Return the number of channels with colours."""
        return COLOURS[self.mode]

    def resource(self, number: int) -> bytes:
        """Return the content of an image resource; empty if there is none."""
        return dict(iptc.resources(self.resources)).get(number, b"")


def read(data: Data) -> Psd:
    """Return what the file ``data`` says. Raise ``ValueError`` if it is damaged or has no flattened image."""
    if len(data) < HEADER.size:
        raise ValueError("its header is incomplete")
    _, version, channels, height, width, depth, mode = HEADER.unpack_from(data)
    if mode not in COLOURS or depth not in DEPTHS or (depth == 1) != (mode == BITMAP):
        raise ValueError(f"not supported: mode {mode} with {depth} bits per channel")
    if not COLOURS[mode] <= channels <= MAX_CHANNELS:
        raise ValueError(f"its header states {channels} channels")
    palette, start = _section(data, HEADER.size)
    resources, start = _section(data, start)
    wide = 8 if version == LARGE_DOCUMENT else 4
    size = int.from_bytes(data[start : start + wide])
    end = start + wide + size
    if end + 2 > len(data):
        raise EOFError("it ends before its flattened image")
    layers = int.from_bytes(data[start + 2 * wide : start + 2 * wide + 2], signed=True) if size >= wide + 2 else 0
    has_opacity = layers < 0 and channels > COLOURS[mode] and mode in (GRAY, RGB, CMYK, LAB)
    image = Psd(version == LARGE_DOCUMENT, channels, width, height, depth, mode, palette, resources, has_opacity, end)
    version_info = image.resource(VERSION)
    if len(version_info) > HAS_COMPOSITE and not version_info[HAS_COMPOSITE]:
        raise ValueError("not supported: it was saved without a flattened image (Maximize Compatibility)")
    return image


def _section(data: Data, start: int) -> tuple[bytes, int]:
    """Return the content of the section at ``start``, whose size comes first, and where it ends."""
    content = start + 4
    end = content + int.from_bytes(data[start:content])
    if end > len(data):
        raise EOFError("a section is incomplete")
    return bytes(data[content:end]), end
