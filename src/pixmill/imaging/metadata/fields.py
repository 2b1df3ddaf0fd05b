"""What a file says about its picture, and how much of that an output may say.

libvips holds metadata as fields of an image: blocks (``exif-data``, ``xmp-data``, ``iptc-data``, ``icc-profile-data``) and each
EXIF entry by name (``exif-ifd0-Artist``); what has been removed of the entries is not written. The orientation is never kept:
the pixels are upright by then.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

import pyvips

Policy = Literal["strip", "copyright", "keep", "no-gps"]
Kept = Mapping[str, str | bytes]

PROFILE = "icc-profile-data"
BLOCKS = {"exif-data": "exif", "xmp-data": "xmp", "iptc-data": "iptc", PROFILE: "icc"}
CREDITS = ("exif-ifd0-Copyright", "exif-ifd0-Artist")
ORIENTATION = re.compile(r"exif-ifd\d-Orientation|orientation")
GPS = re.compile(r"exif-ifd3-.*|exif-ifd\d-GPS.*|exif-ifd2-MakerNote")
#: How libvips shows an entry: its text, and in brackets the text again with type and size.
DESCRIBED = re.compile(r"(.*?)\s*\(\1\s*, ASCII, \d+ components, \d+ bytes\)", re.DOTALL)
#: GPS entries in XMP, as attributes and as elements.
PLACE_IN_XMP = re.compile(rb"""exif:GPS\w+\s*=\s*(?:"[^"]*"|'[^']*')|<exif:GPS(\w+)\b.*?</exif:GPS\1>""", re.DOTALL)
ORIENTATION_IN_XMP = re.compile(
    rb"""tiff:Orientation\s*=\s*(?:"[^"]*"|'[^']*')|<tiff:Orientation\b.*?</tiff:Orientation>""", re.DOTALL
)


#: The marker, length and name of an EXIF segment of a JPEG.
EXIF_SEGMENT = re.compile(rb"\xff\xe1(..)(?=Exif\0\0)", re.DOTALL)


def size(pixels: pyvips.Image) -> int:
    """Return the bytes of metadata that came with a picture."""
    return sum(len(field(pixels, block, b"")) for block in BLOCKS)


def collect(pixels: pyvips.Image, policy: Policy) -> Kept:
    """Return the fields of ``pixels`` that ``policy`` lets an output have, the profile aside."""
    if policy == "strip":
        return {}
    if policy == "copyright":
        return {name: _credit(field(pixels, name)) for name in CREDITS if pixels.get_typeof(name)}
    names = [name for name in field_names(pixels) if name.startswith("exif-") or name in BLOCKS]
    kept = {name: field(pixels, name) for name in names if name != PROFILE and not ORIENTATION.fullmatch(name)}
    if "xmp-data" in kept:
        kept["xmp-data"] = ORIENTATION_IN_XMP.sub(b"", kept["xmp-data"])
    return _without_gps(kept) if policy == "no-gps" else kept


def profile(pixels: pyvips.Image) -> Kept:
    """Return the field of ``pixels`` that says what its colours mean, if it has one."""
    return {PROFILE: field(pixels, PROFILE)} if pixels.get_typeof(PROFILE) else {}


def _credit(entry: str) -> str:
    """Return the text of an EXIF entry without what libvips says of its type behind it."""
    described = DESCRIBED.fullmatch(entry)
    return described[1] if described else entry


def _without_gps(kept: dict[str, Any]) -> Kept:
    """Drop what tells where a picture was taken: the GPS entries, and notes that only the maker of the camera can read."""
    rest = {name: value for name, value in kept.items() if not GPS.fullmatch(name) and name != "iptc-data"}
    if "xmp-data" in rest:
        rest["xmp-data"] = PLACE_IN_XMP.sub(b"", rest["xmp-data"])
    return rest


def attach(pixels: pyvips.Image, kept: Kept) -> pyvips.Image:
    """Return ``pixels`` with ``kept`` and their profile as the only metadata.

    Blocks go first: libvips takes the entries out of an EXIF block as it is set, also those that are not to be kept.
    """
    marked = pixels.copy()
    for name in BLOCKS:
        if isinstance(value := kept.get(name), bytes):
            marked.set_type(pyvips.GValue.blob_type, name, value)
    for name in field_names(marked):
        if _is_metadata(name) and (name not in kept or name in CREDITS):
            marked.remove(name)
    for name, value in kept.items():
        if isinstance(value, str) and not marked.get_typeof(name):
            marked.set_type(pyvips.GValue.gstr_type, name, value)
    return marked


def exif_block(pixels: pyvips.Image) -> bytes:
    """Return the EXIF block that libvips would write for ``pixels``, for encoders of other libraries; empty for none.

    It is taken from the first segment of a JPEG of one pixel, the only way by which libvips hands it out.
    """
    if "exif" not in kinds(pixels):
        return b""
    names = [name for name in field_names(pixels) if name.startswith("exif-")]
    dot = attach(pyvips.Image.black(1, 1).copy(), {name: field(pixels, name) for name in names})
    found = EXIF_SEGMENT.search(dot.jpegsave_buffer(keep="exif"))
    if found is None:
        return b""
    return found.string[found.end() : found.start() + 2 + int.from_bytes(found[1])]


def _is_metadata(name: str) -> bool:
    return name.startswith("exif-") or name == "orientation" or (name in BLOCKS and name != PROFILE)


def kinds(pixels: pyvips.Image) -> frozenset[str]:
    """Return the kinds of metadata that ``pixels`` carry, in the words of a libvips saver's ``keep``."""
    found = {kind for block, kind in BLOCKS.items() if pixels.get_typeof(block)}
    if any(pixels.get_typeof(name) for name in CREDITS):
        found.add("exif")
    return frozenset(found)


def field(pixels: pyvips.Image, name: str, default: Any = None) -> Any:  # noqa: ANN401  # any type of field
    """Return a field of the header of ``pixels``, ``default`` when it has none."""
    return pixels.get(name) if pixels.get_typeof(name) else default


def field_names(pixels: pyvips.Image) -> list[str]:
    """Return the names of the fields in the header of ``pixels``, but for those that are not text.

    ``get_fields`` fails on them all when one is: PNG lets a file name its comments in any bytes.
    """
    listed, names, index = pyvips.vips_lib.vips_image_get_fields(pixels.pointer), [], 0
    while listed[index] != pyvips.ffi.NULL:
        names.append(pyvips.ffi.string(listed[index]))
        pyvips.glib_lib.g_free(listed[index])
        index += 1
    pyvips.glib_lib.g_free(listed)
    return [name.decode() for name in names if name.isascii()]
