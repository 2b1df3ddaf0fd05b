"""Read the metadata that libvips stores as fields of an image: blocks (``exif-data``, ``xmp-data``, ``icc-profile-data``).

Only the profile goes into an encoder from there. What else an output gets is written into its bytes: see ``selection``.
"""

from collections.abc import Mapping
from typing import Any

import pyvips

Metadata = Mapping[str, bytes]

PROFILE = "icc-profile-data"
BLOCKS = {"exif-data": "exif", "xmp-data": "xmp", "iptc-data": "iptc", PROFILE: "icc"}


def size(pixels: pyvips.Image) -> int:
    """Return the size of the metadata of ``pixels``, in bytes."""
    return sum(len(field(pixels, block, b"")) for block in BLOCKS)


def profile(pixels: pyvips.Image) -> Metadata:
    """Return the field with the ICC profile of ``pixels``, if there is one."""
    return {PROFILE: field(pixels, PROFILE)} if pixels.get_typeof(PROFILE) else {}


def attach(pixels: pyvips.Image, metadata: Metadata) -> pyvips.Image:
    """Return ``pixels`` with the blocks in ``metadata`` as fields."""
    copied = pixels.copy()
    for name, value in metadata.items():
        copied.set_type(pyvips.GValue.blob_type, name, value)
    return copied


def kinds(pixels: pyvips.Image) -> frozenset[str]:
    """Return the kinds of metadata in ``pixels``."""
    return frozenset(kind for block, kind in BLOCKS.items() if pixels.get_typeof(block))


def field(pixels: pyvips.Image, name: str, default: Any = None) -> Any:  # noqa: ANN401  # any type of field
    """Return a field of ``pixels``, or ``default`` if it does not exist."""
    return pixels.get(name) if pixels.get_typeof(name) else default
