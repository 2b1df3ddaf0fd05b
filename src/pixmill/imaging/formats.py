"""Which formats there are: told from the first bytes of a file, or from an extension. A file's content decides, never its name."""

import re
from functools import cache

from pixmill.imaging.codec import Codec
from pixmill.imaging.format import Format

__all__ = ["Format", "by_extension", "codec_for", "extensions", "formats", "other_file", "other_image", "sniff"]

# What else turns up among images: as regular expressions over the first bytes, for a message that says what a file is
# instead of what it is not.
OTHER_IMAGES = (
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (rb"8BPS", "a Photoshop image"),
    (rb"\0\0\x01\0[\x01-\x20]\0", "a Windows icon"),
    (rb"\0\0\x02\0[\x01-\x20]\0", "a Windows cursor"),
    (rb"P[1-7Ff][\s#]", "a PNM image"),
    (rb"/\* XPM", "an XPM image"),
    (rb"#define \w+_width", "an XBM image"),
    (rb"\x01\xda[\0\x01][\x01\x02]", "an SGI image"),
    (rb"v/1\x01", "an OpenEXR image"),
    (rb"#\?R", "a Radiance HDR image"),
    (rb"qoif", "a QOI image"),
    (rb"DDS ", "a DirectDraw surface"),
    (rb"gimp xcf", "a GIMP image"),
    (rb"\x8aMNG|\x8bJNG", "an MNG or JNG image"),
    (rb"FUJIFILMCCD-RAW|IIRO|.{4}ftypcrx", "a raw photograph"),
    (rb"\0[\0\x01][\x01-\x03\x09-\x0b].{13}[\x08\x0f\x10\x18\x20][\0\x01\x08\x20\x28]", "a TGA image"),
)
OTHER_FILES = (
    (rb"%PDF", "a PDF document"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (rb"\s*<(?:!doctype html|html)", "a web page"),
    (rb".{4}ftyp(?:isom|mp4|qt|M4)", "a video"),
)


def formats() -> tuple[Format, ...]:
    """Return every format that there is a codec for, in the order of their names."""
    return tuple(codec.format for _, codec in Codec.registry)


def sniff(head: bytes) -> Format | None:
    """Return the format of a file that starts with ``head`` (4,096 bytes are plenty); ``None`` when it is none that we know."""
    return next((known for pattern, known in _signatures() if pattern.match(head)), None)


@cache
def _signatures() -> tuple[tuple[re.Pattern[bytes], Format], ...]:
    """Return what the first bytes of each format look like. Every file is looked at, so they are made ready once."""
    return tuple((re.compile(known.signature, re.DOTALL), known) for known in formats() if known.signature)


def other_image(head: bytes) -> str:
    """Return what a file is that is an image, and none that we read: *a Photoshop image*; empty when it is not."""
    return _kind(head, OTHER_IMAGES)


def other_file(head: bytes) -> str:
    """Return what a file is that is no image: *a PDF document*; empty when that is not known."""
    return _kind(head, OTHER_FILES)


def _kind(head: bytes, kinds: tuple[tuple[bytes, str], ...]) -> str:
    return next((kind for signature, kind in kinds if re.match(signature, head, re.DOTALL | re.IGNORECASE)), "")


def by_extension(extension: str) -> Format | None:
    """Return the format that writes ``extension`` (with or without its dot, any case)."""
    wanted = extension.lower().lstrip(".")
    return next((known for known in formats() if wanted in known.extensions), None)


def extensions() -> frozenset[str]:
    """Return the extensions, without dot and in lower case, that make a file a candidate."""
    return frozenset(extension for known in formats() if not known.opt_in for extension in known.extensions)


def codec_for(known: Format) -> type[Codec]:
    """Return the codec that reads and writes ``known``."""
    codec: type[Codec] = Codec.registry.get(known.name)
    return codec
