"""Identify formats by the first bytes of a file, or by extension, and say which are read. The content decides, never the name."""

import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import ClassVar, Self

from pixmill.core.errors import MissingExtra, RecipeError
from pixmill.core.validation import InvalidValue
from pixmill.imaging.codec import Codec, CodecLike
from pixmill.imaging.format import Format
from pixmill.imaging.other_kinds import LOOKALIKES, OTHER_FILES, OTHER_IMAGES, SVGZ, FileKind, article

__all__ = [
    "AllowLike", "Allowed", "FileKind", "Format", "allowed_names", "by_extension", "codec_for", "extensions", "formats",
    "kind_by_extension", "kind_of", "reader", "sniff",
]  # fmt: skip

BLANKS = b"\0\t\n\r \xef\xbb\xbf"  # that may stand before a JPEG, whatever its name is
JPEG_START = b"\xff\xd8\xff"
GZIP, UNPACKED_BYTES = 16, 4096
ALL = "all"
#: The formats of packages of their own, which are extras of the same name, and what these are needed for.
PACKAGES = {"pdf": "reading PDF documents", "raw": "reading raw photographs"}


def formats() -> tuple[Format, ...]:
    """Return every format that has a codec, sorted by name."""
    return tuple(codec.format for _, codec in Codec.registry)


def kind_of(head: bytes, allow: Collection[str] = ()) -> FileKind | None:
    """Return what the file is that starts with ``head`` (4,096 bytes are enough); ``None`` if that is unknown.

    Opt-in formats that ``allow`` names come first, so that they may read more of a file than another format does: the pixels of a
    raw photograph that is a TIFF with a preview. Opt-in formats that are not allowed come after all others that have a codec.
    """
    found = next((kind for pattern, kind in _kinds(frozenset(allow)) if pattern.match(head)), None)
    if found is None and head.lstrip(BLANKS).startswith(JPEG_START):
        return kind_of(JPEG_START)
    return _unpacked(found, head) if found is not None and found.name == "gzip" else found


def sniff(head: bytes, allow: Collection[str] = ()) -> Format | None:
    """Return the format of the file that starts with ``head``; ``None`` if no codec reads it. ``allow`` is that of ``kind_of``."""
    kind = kind_of(head, allow)
    return kind and kind.format


@cache
def _kinds(allow: frozenset[str]) -> tuple[tuple[re.Pattern[bytes], FileKind], ...]:
    """Return every kind with its signature, those that ``allow`` names first. They are compiled once: every file is looked at."""
    read = [kind_of_format(known_format) for known_format in formats()]
    always, opt_in = ([kind for kind in read if kind.format and kind.format.opt_in == wanted] for wanted in (False, True))
    everything = (*LOOKALIKES, *always, *opt_in, *OTHER_IMAGES, *OTHER_FILES)
    known = sorted(everything, key=lambda kind: not (kind.format and kind.format.name in allow))
    return tuple((re.compile(kind.signature, re.DOTALL), kind) for kind in known if kind.signature)


def kind_of_format(known_format: Format) -> FileKind:
    """Return the kind of the files in ``known_format``."""
    return FileKind(
        known_format.label,
        f"{article(known_format.label)} {known_format.label} image",
        known_format.extensions,
        known_format.signature,
        format=known_format,
    )


def _unpacked(kind: FileKind, head: bytes) -> FileKind:
    """Return the kind of a compressed drawing if the gzip file that starts with ``head`` is one; else ``kind``."""
    try:
        start = zlib.decompressobj(zlib.MAX_WBITS | GZIP).decompress(head, UNPACKED_BYTES)
    except zlib.error:
        return kind
    inside = kind_of(start)
    return SVGZ if inside is not None and inside.name == "SVG" else kind


def kind_by_extension(extension: str) -> FileKind | None:
    """Return the kind of image that uses ``extension`` (with or without the dot, in any case); ``None`` if it is unknown."""
    return _by_extension().get(extension.lower().lstrip("."))


@cache
def _by_extension() -> dict[str, FileKind]:
    kinds = (*OTHER_IMAGES, *LOOKALIKES, *map(kind_of_format, formats()))  # the later ones count
    return {extension: kind for kind in kinds for extension in kind.extensions}


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


class Allowed:
    """A format that is disabled by default: ``psd``, or with settings for reading ``pdf:page=2``; ``all`` for every such format."""

    __slots__ = ("codec",)
    expected: ClassVar[str] = "a format that is disabled by default, or all"
    error: ClassVar[type[ValueError]] = InvalidValue

    def __init__(self, codec: Codec | None = None) -> None:
        """Store the codec, whose settings are those for reading; ``None`` allows all formats."""
        self.codec = codec

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a text, a table or a codec. Raise ``InvalidValue`` for another format, ``MissingExtra`` without its package."""
        name = value.format.name if isinstance(value, Codec) else value.get("format") if isinstance(value, Mapping) else value
        name = str(name).partition(":")[0]
        if name.strip().lower() == ALL:
            return cls()
        cls.named(name)
        return cls(Codec.from_builtins(value))

    @classmethod
    def named(cls, name: str) -> type[Codec]:
        """Return the codec of the format called ``name``, or with that extension; errors as for ``from_builtin``."""
        try:
            codec = Codec.named(name)
        except RecipeError:
            if name.strip().lower() in PACKAGES:
                raise MissingExtra(name.strip().lower(), PACKAGES[name.strip().lower()]) from None
            raise cls._invalid(name) from None
        if not codec.format.opt_in:
            raise cls._invalid(name, answer=f"{codec.format.label} is read anyway" if codec.format.extensions else "")
        return codec

    @classmethod
    def _invalid(cls, name: str, answer: str = "") -> InvalidValue:
        names = [*(each.name for each in formats() if each.opt_in), ALL]
        return InvalidValue(f"one of {', '.join(names)}", name, choices=names, answer=answer)

    def to_builtin(self) -> str:
        """Return the canonical text."""
        return self.codec.text() if self.codec else ALL

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text inside the class name."""
        return f"Allowed({self})"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Allowed) and str(self) == str(other)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(str(self))

    @property
    def has_settings(self) -> bool:
        """Return whether a setting has another value than its default, so that outputs may differ."""
        return self.codec is not None and self.codec != type(self.codec)()


#: What is accepted for such a format.
AllowLike = Allowed | CodecLike


def allowed_names(allow: Iterable[Allowed]) -> frozenset[str]:
    """Return the names of the formats that ``allow`` adds to those that are always read."""
    each = [entry.codec for entry in allow]
    return frozenset(
        known.name
        for known in formats()
        if known.opt_in and (None in each or any(codec and codec.format is known for codec in each))
    )


def reader(file_format: Format, allow: Iterable[Allowed] = ()) -> Codec:
    """Return the codec that reads ``file_format``, with the settings that ``allow`` has for it."""
    given = (entry.codec for entry in allow if entry.codec and entry.codec.format is file_format)
    return next(given, None) or codec_for(file_format)()
