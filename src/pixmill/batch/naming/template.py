"""Templates of output names, such as ``{dir}/{stem}.{ext}``."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import ClassVar, Self

from pixmill.batch.naming.syntax import COUNTER, DISTINCTIVE, EXPECTED, LATE_FIELDS, checked
from pixmill.batch.naming.values import safe_value
from pixmill.imaging.format import Format
from pixmill.imaging.formats import by_extension
from pixmill.imaging.metadata.variables import FIELD, parsed, used

HASH_DIGITS = 32
DEFAULT = "{dir}/{stem}.{ext}"
FLAT = "./"  # begins a template whose outputs leave the folders of their sources


class Template:
    """A name such as ``{dir}/{stem}.{ext}``.

    ``{dir}``: folder of the source below SRC. ``{parent}``: name of the folder that it is in. ``{source}``: name of SRC.
    ``{stem}``: file name without its extension. ``{name}``: whole file name. ``{ext}``: extension of the output's format.
    ``{rendition}``: name of the rendition. ``{hash}``: 32 hex digits of the source's path. A name that does not end in an
    extension of its format gets one.

    ``{width}`` and ``{height}``: size of the output in pixels. ``{date}``: when the picture was taken according to EXIF
    (DateTimeOriginal, else DateTimeDigitized or DateTime), by the clock of the camera; else when its file was modified, in UTC or
    in ``--timezone``; else ``undated``. ``{date:%Y/%m}`` has a format of ``%Y %y %m %b %d %j %H %M %S``, instead of ``%Y-%m-%d``;
    its slashes make folders. ``{camera}``, ``{artist}``, ``{copyright}``: what the metadata say; ``{camera|other}`` has what stands
    for a camera that is not known, instead of ``unknown``. ``{counter:04}``: number of the image among those whose name is
    otherwise the same. These and ``{source}`` are given when the image is read.

    A template without ``{dir}`` is prefixed with ``{dir}/``, unless it has ``{hash}``, or a folder made of one of the fields that
    are given late, or with ``--flat``. An image keeps its name for ever, even if the source changes; two never have the same.

    Example: ``--name '{date:%Y/%m}/{stem}.{ext}'``
    """

    __slots__ = ("_adds_extension", "_is_mirroring", "_parts", "_root", "text")
    is_explained: ClassVar = True  # by its docstring, in the reference
    expected: ClassVar[str] = EXPECTED

    def __init__(self, text: str = DEFAULT, *, adds_extension: bool = False, root: bytes = b"") -> None:
        """Take the text of a valid template. With ``adds_extension``, names without an extension of their format get it.

        ``root`` is the name of SRC, the parent of files directly in it.
        """
        self._adds_extension = adds_extension
        self._root = root
        is_placed = "{dir}" in text or "{hash}" in text or text.startswith(FLAT) or _has_late_folder(text)
        self.text = text if is_placed else "{dir}/" + text
        parts = FIELD.split(self.text.removeprefix(FLAT))  # alternating text and fields
        self._parts = [part if index % 2 else part.encode() for index, part in enumerate(parts)]
        self._is_mirroring = self.text == DEFAULT and not adds_extension

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a template; ``ValueError`` with the reason if it cannot name outputs."""
        return cls(checked(str(value)))

    @property
    def late_fields(self) -> frozenset[str]:
        """Return the names of the fields that are known only when the image is read."""
        return used([self.text]) & frozenset(LATE_FIELDS)

    @property
    def is_late(self) -> bool:
        """Return whether names are given when the image is read, because only then they are known, or known to be free."""
        return bool(self.late_fields) or self.text.startswith(FLAT)

    @property
    def begins_alike(self) -> bool:
        """Return whether the file names of outputs begin with the stem of their sources."""
        return self.text.rpartition("/")[2].startswith(("{stem}", "{name}"))

    @property
    def has_counter(self) -> bool:
        """Return whether the name of each image has a number."""
        return COUNTER in self.late_fields

    def flattened(self) -> "Template":
        """Return the template of names that leave the folders of their sources."""
        return self._with(FLAT + self.text.removeprefix(FLAT).removeprefix("{dir}/"))

    def below(self, root: bytes) -> "Template":
        """Return the template of names for files in a folder of the name ``root``."""
        return Template(self.text, adds_extension=self._adds_extension, root=root)

    def _with(self, text: str, *, adds_extension: bool | None = None) -> "Template":
        """Return a template of ``text`` that is otherwise the same."""
        adds = self._adds_extension if adds_extension is None else adds_extension
        return Template(text, adds_extension=adds, root=self._root)

    def filled(self, values: Mapping[str, str]) -> "Template":
        """Return the template with the ``values`` of its late fields in place; a date is in ISO format, empty if it is unknown."""
        filled = Template(self.text, adds_extension=self._adds_extension, root=self._root)
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
        folder, slash, name = path.rpartition(b"/")
        if self._is_mirroring and disambiguator is None and b"//" not in path and not path.startswith(b"/"):
            return folder + slash + split_extension(name)[0] + b"." + extension.encode("utf-8", "surrogateescape")
        values = {
            "dir": folder,
            "parent": folder.rpartition(b"/")[2] or self._root,
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
        """Return a template that distinguishes renditions: with ``{stem}-{rendition}``, unless it has that field or a size."""
        if used([self.text]) & {"rendition", "width", "height"}:
            return self
        fields = {parsed(field).name: f"{{{field}}}" for field in FIELD.findall(self.text)}
        base = next(fields[name] for name in DISTINCTIVE if name in fields)
        return self._with(self.text.replace(base, base + "-{rendition}"))

    def with_extension(self) -> "Template":
        """Return a template whose names end in an extension of their format, except where ``{ext}`` is somewhere else in it."""
        file = self.text.rpartition("/")[2]
        if ".{ext}" in file:
            return self
        if file.endswith("{name}") or self.fixed_format:
            return self._with(self.text, adds_extension=True)
        return self._with(self.text + ".{ext}")

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


def _late_text(text: str, values: Mapping[str, str]) -> str | None:
    """Return the text of a late field, such as ``date:%Y``; ``None`` for other fields."""
    field = parsed(text)
    return safe_value(field, values) if field.name in LATE_FIELDS else None


def _has_late_folder(text: str) -> bool:
    """Tell whether a late field is in the name of a folder, so that the template arranges the outputs itself."""
    marked = FIELD.sub(lambda found: "\0" + parsed(found[1]).form if parsed(found[1]).name in LATE_FIELDS else "", text)
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
