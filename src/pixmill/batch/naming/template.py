"""Templates of output names: {dir}, {stem}, {ext}, {rendition}, {hash}."""

import re
from hashlib import blake2b
from typing import ClassVar, Self

FIELDS = ("dir", "stem", "ext", "name", "rendition", "hash")
HASH_DIGITS = 32
_FIELD = re.compile(r"\{(\w*)\}")


class Template:
    """A name such as ``{dir}/{stem}.{ext}``.

    ``{dir}``: folder of the source below SRC. ``{stem}``: file name without its extension. ``{name}``: whole file name.
    ``{ext}``: extension of the output's format. ``{rendition}``: name of the rendition. ``{hash}``: 32 hex digits of the
    source's path. A template without ``{dir}`` is prefixed with ``{dir}/``, unless it has ``{hash}``, which keeps names distinct.
    """

    __slots__ = ("_parts", "text")
    expected: ClassVar[str] = "a name made of text and " + ", ".join("{" + field + "}" for field in FIELDS)

    def __init__(self, text: str = "{dir}/{stem}.{ext}") -> None:
        """Take the text of a valid template."""
        self.text = text if "{dir}" in text or "{hash}" in text else "{dir}/" + text
        parts = _FIELD.split(self.text)  # alternating text and field names
        self._parts = [part if index % 2 else part.encode() for index, part in enumerate(parts)]

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a template; ``ValueError`` when it has an unknown field, leads out of DST or cannot distinguish sources."""
        text = str(value)
        is_known = all(field in FIELDS for field in _FIELD.findall(text))
        is_distinctive = any(f"{{{field}}}" in text for field in ("stem", "name", "hash"))
        stays_below = not text.startswith("/") and ".." not in text.split("/") and "\0" not in text
        if not (is_known and is_distinctive and stays_below) or re.sub(_FIELD, "", text).count("{"):
            raise ValueError(cls.expected)
        return cls(text)

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
        return filled.lstrip(b"/")

    def with_rendition(self) -> "Template":
        """Return a template that distinguishes renditions: with ``{stem}-{rendition}``, unless it has ``{rendition}`` already."""
        if "{rendition}" in self.text:
            return self
        base = next(field for field in ("{stem}", "{name}", "{hash}") if field in self.text)
        return Template(self.text.replace(base, base + "-{rendition}"))

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self.text)


def own_extension(path: bytes) -> str:
    """Return the extension of a source without its dot, in its original case; empty if it has none."""
    return split_extension(path.rpartition(b"/")[2])[1].decode("utf-8", "surrogateescape")


def split_extension(name: bytes) -> tuple[bytes, bytes]:
    """Return stem and extension of a file name."""
    stem, dot, extension = name.rpartition(b".")
    return (stem, extension) if dot and stem.strip(b".") else (name, b"")  # a stem of dots names a folder
