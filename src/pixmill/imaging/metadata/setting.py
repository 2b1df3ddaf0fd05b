"""``Setting``: metadata that outputs state because the user says so, and where each is written."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Self

from pixmill.core.validation import InvalidValue
from pixmill.imaging.metadata.blocks import MAX_DENSITY
from pixmill.imaging.metadata.table import NAMESPACES
from pixmill.imaging.metadata.variables import check_text, filled
from pixmill.imaging.metadata.xmp_credits import CREATOR, RIGHTS, Target

DPI = "dpi"


class Place(NamedTuple):
    """Where a setting is written: a tag of EXIF, a dataset of IPTC of at most so many bytes, XMP, and a keyword of PNG.

    What says the same in other places is removed: ``exif_aliases``, and properties of XMP ``xmp_aliases`` by prefix and name.
    """

    meaning: str
    exif: int = 0
    iptc: str = ""
    iptc_bytes: int = 0
    xmp: Target | None = None
    keyword: str = ""
    exif_aliases: frozenset[int] = frozenset()
    xmp_aliases: frozenset[tuple[str, str]] = frozenset()

    @property
    def tags(self) -> frozenset[int]:
        """Return every tag of EXIF that says it."""
        return self.exif_aliases | ({self.exif} if self.exif else frozenset())

    @property
    def properties(self) -> frozenset[tuple[str, str]]:
        """Return every property of XMP that says it, by namespace and name."""
        names = self.xmp_aliases | ({(self.xmp.prefix, self.xmp.name)} if self.xmp else frozenset())
        return frozenset((NAMESPACES[prefix], name) for prefix, name in names)


#: By the guidelines of the Metadata Working Group and the IPTC Photo Metadata Standard.
PLACES: Mapping[str, Place] = {
    "artist": Place(
        "who made the picture", 0x013B, "2:80", 32, CREATOR, "Author",
        frozenset((0x9C9D, 0xA437)), frozenset((("tiff", "Artist"), ("exifEX", "Photographer"))),
    ),
    "copyright": Place(
        "copyright notice", 0x8298, "2:116", 128, RIGHTS, "Copyright", xmp_aliases=frozenset((("tiff", "Copyright"),))
    ),
    "credit": Place("credit line", 0, "2:110", 32, Target("photoshop", "Credit", "text")),
    "license": Place("address of the licence", xmp=Target("xmpRights", "WebStatement", "text")),
    "title": Place(
        "title", 0, "2:5", 64, Target("dc", "title", "languages"), "Title", frozenset((0x9C9B,))
    ),
    "description": Place(
        "description", 0x010E, "2:120", 2000, Target("dc", "description", "languages"), "Description",
        xmp_aliases=frozenset((("tiff", "ImageDescription"),)),
    ),
    DPI: Place(
        "pixels per inch", xmp_aliases=frozenset(("tiff", name) for name in ("XResolution", "YResolution", "ResolutionUnit"))
    ),
}  # fmt: skip


class Setting:
    """A statement in the metadata: ``copyright=(c) {artist}``, or ``dpi=300``.

    The names are ``artist``, ``copyright``, ``credit``, ``license`` (an address), ``title``, ``description`` and ``dpi``. The text
    may have the variables ``{date}``, ``{camera}``, ``{artist}``, ``{copyright}``, ``{width}`` and ``{height}``.

    Example: ``--set 'copyright=(c) {date:%Y} {artist|Jane Doe}'``
    """

    __slots__ = ("name", "text")
    is_explained: ClassVar = True
    may_hold_commas: ClassVar = True
    expected: ClassVar[str] = "NAME=TEXT, where NAME is one of " + ", ".join(PLACES)

    def __init__(self, name: str, text: str) -> None:
        """Store a valid name and text."""
        self.name = name
        self.text = text

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``NAME=TEXT``. Raise ``ValueError`` if it states nothing."""
        name, equals, text = (part.strip() for part in str(value).partition("="))
        name = name.lower()
        if not equals or not text:
            raise ValueError(cls.expected)
        if name not in PLACES:
            raise InvalidValue("one of " + ", ".join(PLACES), name, choices=PLACES)
        check_text(text)
        if name == DPI and not (text.isdecimal() and 0 < int(text) <= MAX_DENSITY):
            raise ValueError("dpi=NUMBER with a whole number, such as dpi=300")
        return cls(name, text)

    @classmethod
    def from_table(cls, table: Mapping[str, object]) -> list[str]:
        """Return the settings in a table, such as ``{copyright = "..."}``, as texts."""
        return [f"{name}={text}" for name, text in table.items()]

    def value(self, values: Mapping[str, str]) -> str:
        """Return the text with the ``values`` of its variables; empty if nothing is left of it."""
        return filled(self.text, values).strip()

    def to_builtin(self) -> str:
        """Return ``NAME=TEXT``."""
        return f"{self.name}={self.text}"

    def __str__(self) -> str:
        """Return ``NAME=TEXT``."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the text inside the class name."""
        return f"Setting({self})"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Setting) and str(self) == str(other)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(str(self))
