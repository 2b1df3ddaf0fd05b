"""Templates of output names: {dir}, {stem}, {ext}, {rendition}, {hash}, and the late {width}, {height}, {date}."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import ClassVar, Self

from pixmill.batch.naming.dates import dated
from pixmill.batch.naming.syntax import DISTINCTIVE, EXPECTED, FIELD, LATE_FIELDS, checked
from pixmill.imaging.format import Format
from pixmill.imaging.formats import by_extension

HASH_DIGITS = 32


class Template:
    """A name such as ``{dir}/{stem}.{ext}``.

    ``{dir}``: folder of the source below SRC. ``{stem}``: file name without its extension. ``{name}``: whole file name.
    ``{ext}``: extension of the output's format. ``{rendition}``: name of the rendition. ``{hash}``: 32 hex digits of the
    source's path. A name that does not end in an extension of its format gets one.

    ``{width}`` and ``{height}``: size of the source picture in pixels, turned upright. ``{date}``: when the picture was taken
    according to EXIF (DateTimeOriginal, else DateTimeDigitized or DateTime), by the clock of the camera; else when its file was
    modified, in UTC; else ``undated``. ``{date:%Y/%m}`` has a format of ``%Y %y %m %b %d %j %H %M %S``, instead of ``%Y-%m-%d``;
    its slashes make folders. These are known only when the image is read.

    A template without ``{dir}`` is prefixed with ``{dir}/``, unless it has ``{hash}``, or a folder made of ``{date}``,
    ``{width}`` or ``{height}``. An image keeps its name for ever, even if the source changes; two never have the same.

    Example: ``--name '{date:%Y/%m}/{stem}.{ext}'``
    """

    __slots__ = ("_adds_extension", "_parts", "text")
    is_explained: ClassVar = True  # by its docstring, in the reference
    expected: ClassVar[str] = EXPECTED

    def __init__(self, text: str = "{dir}/{stem}.{ext}", *, adds_extension: bool = False) -> None:
        """Take the text of a valid template. With ``adds_extension``, names without an extension of their format get it."""
        self._adds_extension = adds_extension
        self.text = text if "{dir}" in text or "{hash}" in text or _has_late_folder(text) else "{dir}/" + text
        parts = FIELD.split(self.text)  # alternating text and fields
        self._parts = [part if index % 2 else part.encode() for index, part in enumerate(parts)]

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a template; ``ValueError`` with the reason if it cannot name outputs."""
        return cls(checked(str(value)))

    @property
    def late_fields(self) -> frozenset[str]:
        """Return the names of the fields that are known only when the image is read."""
        fields = (part.partition(":")[0] for part in self._parts if isinstance(part, str))
        return frozenset(field for field in fields if field in LATE_FIELDS)

    def filled(self, values: Mapping[str, str]) -> "Template":
        """Return the template with the ``values`` of its late fields in place; a date is in ISO format, empty if it is unknown."""
        filled = Template(self.text, adds_extension=self._adds_extension)
        late = ((part, _late_text(part, values) if isinstance(part, str) else None) for part in self._parts)
        filled._parts = [part if text is None else text.encode() for part, text in late]
        return filled

    def to_builtin(self) -> str:
        """Return the canonical text."""
        return self.text

    def render(
        self, path: bytes, *, extension: str, rendition: str = "", disambiguator: bytes | None = None, digits: int = HASH_DIGITS
    ) -> bytes:
        """Return the output's path below DST for the source at ``path`` below SRC.

        ``disambiguator`` replaces everything that distinguishes sources: stem, name, and the file name in the hashed path.
        ``digits`` is the length of ``{hash}``.
        """
        folder, _, name = path.rpartition(b"/")
        values = {
            "dir": folder,
            "stem": split_extension(name)[0] if disambiguator is None else disambiguator,
            "name": name if disambiguator is None else disambiguator,
            "ext": extension.encode("utf-8", "surrogateescape"),
            "rendition": rendition.encode(),
        }
        if "{hash}" in self.text:
            hashed = path if disambiguator is None else folder + b"/" + disambiguator
            values["hash"] = blake2b(hashed, digest_size=digits // 2).hexdigest().encode()
        filled = b"".join([values[part] if isinstance(part, str) else part for part in self._parts])
        while b"//" in filled:  # a field was empty, as {dir} is for files directly in SRC
            filled = filled.replace(b"//", b"/")
        filled = filled.lstrip(b"/")
        if self._adds_extension and not _is_extension_of(own_extension(filled), extension):
            filled += b"." + values["ext"]
        return filled

    def with_rendition(self) -> "Template":
        """Return a template that distinguishes renditions: with ``{stem}-{rendition}``, unless it has ``{rendition}`` already."""
        if "{rendition}" in self.text:
            return self
        base = next(f"{{{field}}}" for field in DISTINCTIVE if f"{{{field}}}" in self.text)
        return Template(self.text.replace(base, base + "-{rendition}"))

    def with_extension(self) -> "Template":
        """Return a template whose names end in an extension of their format, except where ``{ext}`` is somewhere else in it."""
        file = self.text.rpartition("/")[2]
        if ".{ext}" in file:
            return self
        if file.endswith("{name}") or self.fixed_format:
            return Template(self.text, adds_extension=True)
        return Template(self.text + ".{ext}")

    @property
    def fixed_format(self) -> Format | None:
        """Return the format whose extension all names have, as with ``{stem}.png``."""
        _, dot, extension = self.text.rpartition("/")[2].rpartition(".")
        return by_extension(extension) if dot else None

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self.text)


def _late_text(field: str, values: Mapping[str, str]) -> str | None:
    """Return the text of a late ``field``, such as ``date:%Y``; ``None`` for other fields."""
    name, _, form = field.partition(":")
    if name not in LATE_FIELDS:
        return None
    return dated(values[name], form) if name == "date" else values[name]


def _has_late_folder(text: str) -> bool:
    """Tell whether a late field is in the name of a folder, so that the template arranges the outputs itself."""
    marked = FIELD.sub(lambda found: "\0" + found[1] if found[1].partition(":")[0] in LATE_FIELDS else "", text)
    return "\0" in marked.rpartition("/")[0]


def _is_extension_of(own: str, extension: str) -> bool:
    """Tell whether ``own`` belongs to the format whose usual extension is ``extension``."""
    own_format = by_extension(own)
    return own == extension or (own_format is not None and own_format is by_extension(extension))


def own_extension(path: bytes) -> str:
    """Return the extension of a source without its dot, in its original case; empty if it has none."""
    return split_extension(path.rpartition(b"/")[2])[1].decode("utf-8", "surrogateescape")


def split_extension(name: bytes) -> tuple[bytes, bytes]:
    """Return stem and extension of a file name."""
    stem, dot, extension = name.rpartition(b".")
    return (stem, extension) if dot and stem.strip(b".") else (name, b"")  # a stem of dots names a folder
