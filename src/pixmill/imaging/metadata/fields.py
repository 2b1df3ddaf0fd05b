"""Read the metadata of an image, and select the part that an output may have.

libvips stores metadata as fields of an image: blocks (``exif-data``, ``xmp-data``, ``iptc-data``, ``icc-profile-data``) and each
EXIF entry by name (``exif-ifd0-Artist``). An entry that has been removed is not written. The orientation is never kept, because
the output is upright.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

import pyvips

Policy = Literal["strip", "copyright", "keep", "no-gps"]
Metadata = Mapping[str, str | bytes]

PROFILE = "icc-profile-data"
BLOCKS = {"exif-data": "exif", "xmp-data": "xmp", "iptc-data": "iptc", PROFILE: "icc"}
CREDITS = ("exif-ifd0-Copyright", "exif-ifd0-Artist")
ORIENTATION = re.compile(r"exif-ifd\d-Orientation|orientation")
GPS = re.compile(r"exif-ifd3-.*|exif-ifd\d-GPS.*|exif-ifd2-MakerNote")
#: An entry as libvips presents it: its text, then in brackets the text again with type and size.
ENTRY_WITH_TYPE = re.compile(r"(.*?)\s*\(\1\s*, ASCII, \d+ components, \d+ bytes\)", re.DOTALL)
#: GPS entries in XMP, as attributes and as elements.
GPS_IN_XMP = re.compile(rb"""exif:GPS\w+\s*=\s*(?:"[^"]*"|'[^']*')|<exif:GPS(\w+)\b.*?</exif:GPS\1>""", re.DOTALL)
ORIENTATION_IN_XMP = re.compile(
    rb"""tiff:Orientation\s*=\s*(?:"[^"]*"|'[^']*')|<tiff:Orientation\b.*?</tiff:Orientation>""", re.DOTALL
)


#: The marker, length and name of an EXIF segment of a JPEG.
EXIF_SEGMENT = re.compile(rb"\xff\xe1(..)(?=Exif\0\0)", re.DOTALL)


def size(pixels: pyvips.Image) -> int:
    """Return the size of the metadata of ``pixels``, in bytes."""
    return sum(len(field(pixels, block, b"")) for block in BLOCKS)


def collect(pixels: pyvips.Image, policy: Policy) -> Metadata:
    """Return the fields of ``pixels`` that ``policy`` allows in an output, except the profile."""
    if policy == "strip":
        return {}
    if policy == "copyright":
        return {name: _credit(field(pixels, name)) for name in CREDITS if pixels.get_typeof(name)}
    names = [name for name in field_names(pixels) if name.startswith("exif-") or name in BLOCKS]
    kept_fields = {name: field(pixels, name) for name in names if name != PROFILE and not ORIENTATION.fullmatch(name)}
    if "xmp-data" in kept_fields:
        kept_fields["xmp-data"] = ORIENTATION_IN_XMP.sub(b"", kept_fields["xmp-data"])
    return _without_gps(kept_fields) if policy == "no-gps" else kept_fields


def profile(pixels: pyvips.Image) -> Metadata:
    """Return the field with the ICC profile of ``pixels``, if there is one."""
    return {PROFILE: field(pixels, PROFILE)} if pixels.get_typeof(PROFILE) else {}


def _credit(entry: str) -> str:
    """Return the text of an EXIF entry without the type and size that libvips appends."""
    described = ENTRY_WITH_TYPE.fullmatch(entry)
    return described[1] if described else entry


def _without_gps(metadata: dict[str, Any]) -> Metadata:
    """Return ``metadata`` without locations: no GPS entries, and no maker notes or IPTC data, which may contain them."""
    remaining = {name: value for name, value in metadata.items() if not GPS.fullmatch(name) and name != "iptc-data"}
    if "xmp-data" in remaining:
        remaining["xmp-data"] = GPS_IN_XMP.sub(b"", remaining["xmp-data"])
    return remaining


def attach(pixels: pyvips.Image, metadata: Metadata) -> pyvips.Image:
    """Return ``pixels`` with ``metadata`` and their profile as the only metadata.

    Blocks are set first: libvips extracts all entries of an EXIF block when it is set, including unwanted ones.
    """
    copied = pixels.copy()
    for name in BLOCKS:
        if isinstance(value := metadata.get(name), bytes):
            copied.set_type(pyvips.GValue.blob_type, name, value)
    for name in field_names(copied):
        if _is_metadata(name) and (name not in metadata or name in CREDITS):
            copied.remove(name)
    for name, value in metadata.items():
        if isinstance(value, str) and not copied.get_typeof(name):
            copied.set_type(pyvips.GValue.gstr_type, name, value)
    return copied


def exif_block(pixels: pyvips.Image) -> bytes:
    """Return the EXIF block that libvips would write for ``pixels``, for other encoders; empty if there is none.

    It is taken from the first segment of a JPEG of one pixel, because libvips provides no other way to get it.
    """
    if "exif" not in kinds(pixels):
        return b""
    names = [name for name in field_names(pixels) if name.startswith("exif-")]
    dot = attach(pyvips.Image.black(1, 1).copy(), {name: field(pixels, name) for name in names})
    segment = EXIF_SEGMENT.search(dot.jpegsave_buffer(keep="exif"))
    if segment is None:
        return b""
    return segment.string[segment.end() : segment.start() + 2 + int.from_bytes(segment[1])]


def _is_metadata(name: str) -> bool:
    return name.startswith("exif-") or name == "orientation" or (name in BLOCKS and name != PROFILE)


def kinds(pixels: pyvips.Image) -> frozenset[str]:
    """Return the kinds of metadata in ``pixels``, as values for the ``keep`` option of libvips savers."""
    present = {kind for block, kind in BLOCKS.items() if pixels.get_typeof(block)}
    if any(pixels.get_typeof(name) for name in CREDITS):
        present.add("exif")
    return frozenset(present)


def field(pixels: pyvips.Image, name: str, default: Any = None) -> Any:  # noqa: ANN401  # any type of field
    """Return a field of ``pixels``, or ``default`` if it does not exist."""
    return pixels.get(name) if pixels.get_typeof(name) else default


def field_names(pixels: pyvips.Image) -> list[str]:
    """Return the names of the fields of ``pixels``, except those that are not ASCII.

    ``get_fields`` fails if any name is not text, and PNG comments can have arbitrary bytes as their names.
    """
    listed, names, index = pyvips.vips_lib.vips_image_get_fields(pixels.pointer), [], 0
    while listed[index] != pyvips.ffi.NULL:
        names.append(pyvips.ffi.string(listed[index]))
        pyvips.glib_lib.g_free(listed[index])
        index += 1
    pyvips.glib_lib.g_free(listed)
    return [name.decode() for name in names if name.isascii()]
