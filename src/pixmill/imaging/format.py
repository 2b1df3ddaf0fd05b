"""Which formats there are: told from the first bytes of a file, or from an extension. A file's content decides, never its name."""

from pixmill.imaging.codec import Codec
from pixmill.imaging.descriptor import Format

__all__ = ["Format", "by_extension", "codec_for", "extensions", "formats", "sniff", "stranger"]

# Kinds of file that turn up among images, for a message that says what it is instead of what it is not.
STRANGERS = (
    (b"%PDF", "a PDF document"), (b"%!PS", "a PostScript document"), (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"), (b"8BPS", "a Photoshop document"), (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"), (b"v/1\x01", "an OpenEXR image"), (b"#?RADIANCE", "a Radiance HDR image"),
    (b"\x00\x00\x01\x00", "a Windows icon"), (b"\x00\x00\x02\x00", "a Windows cursor"), (b"qoif", "a QOI image"),
    (b"DDS ", "a DirectDraw surface"), (b"gimp xcf", "a GIMP image"), (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"), (b"\x8aMNG", "an MNG animation"), (b"\x8bJNG", "a JNG image"),
)  # fmt: skip


def formats() -> tuple[Format, ...]:
    """Return every format that there is a codec for, in the order of their names."""
    return tuple(codec.format for _, codec in Codec.registry)


def sniff(head: bytes) -> Format | None:
    """Return the format of a file that starts with ``head`` (4,096 bytes are plenty); ``None`` when it is none that we know."""
    return next((known for known in formats() if known.matches(head)), None)


def stranger(head: bytes) -> str:
    """Return what a file is that is no image of ours, *a PDF document*; empty when that is not known either."""
    return next((kind for signature, kind in STRANGERS if head.startswith(signature)), "")


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
