"""Identify formats by the first bytes of a file, or by extension. For sources, the content decides, never the name."""

import re
from collections.abc import Collection
from functools import cache

from pixmill.imaging.codec import Codec
from pixmill.imaging.format import Format

__all__ = ["Format", "by_extension", "codec_for", "extensions", "formats", "other_file", "other_image", "sniff"]

# Other files that turn up among images, as regular expressions for the first bytes, so that a message can say what a file
# is instead of what it is not.
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
    """Return every format that has a codec, sorted by name."""
    return tuple(codec.format for _, codec in Codec.registry)


def sniff(head: bytes) -> Format | None:
    """Return the format of a file that starts with ``head`` (4,096 bytes are enough); ``None`` if it is unknown."""
    return next((known_format for pattern, known_format in _signatures() if pattern.match(head)), None)


@cache
def _signatures() -> tuple[tuple[re.Pattern[bytes], Format], ...]:
    """Return the signature of each format. They are compiled once, because every file is sniffed."""
    return tuple(
        (re.compile(known_format.signature, re.DOTALL), known_format) for known_format in formats() if known_format.signature
    )


def other_image(head: bytes) -> str:
    """Return the kind of an image that no codec reads, such as *a Photoshop image*; empty if it is not such an image."""
    return _kind(head, OTHER_IMAGES)


def other_file(head: bytes) -> str:
    """Return the kind of a file that is not an image, such as *a PDF document*; empty if it is unknown."""
    return _kind(head, OTHER_FILES)


def _kind(head: bytes, kinds: tuple[tuple[bytes, str], ...]) -> str:
    return next((kind for signature, kind in kinds if re.match(signature, head, re.DOTALL | re.IGNORECASE)), "")


def by_extension(extension: str) -> Format | None:
    """Return the format that uses ``extension`` (with or without the dot, in any case)."""
    normalised = extension.lower().lstrip(".")
    return next((known_format for known_format in formats() if normalised in known_format.extensions), None)


def extensions(allow: Collection[str] = ()) -> frozenset[str]:
    """Return the extensions, in lower case and without the dot, of files to process; ``allow`` names formats to opt into."""
    wanted = (each for each in formats() if not each.opt_in or each.name in allow)
    return frozenset(extension for known_format in wanted for extension in known_format.extensions)


def codec_for(file_format: Format) -> type[Codec]:
    """Return the codec that reads and writes ``file_format``."""
    codec: type[Codec] = Codec.registry.get(file_format.name)
    return codec
