"""``Blocks``: the metadata of one file, raw, independent of the container that holds it."""

from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

Unit = Literal["inch", "cm", "m", ""]
CENTIMETRES = {"inch": Fraction(254, 100), "cm": Fraction(1), "m": Fraction(100)}
#: A container that counts pixels per metre gives their number per inch to this accuracy.
METRE_STEP = Fraction(254, 10_000) / 2
#: Pixels per unit that can be meant; others are damage.
MIN_DENSITY, MAX_DENSITY = Fraction(1, 100), 1_000_000


class Resolution(NamedTuple):
    """Pixels per ``unit``; without a unit, ``x`` and ``y`` are only in proportion. Made by ``resolution``."""

    x: Fraction
    y: Fraction
    unit: Unit

    def per(self, unit: Literal["inch", "cm", "m"]) -> tuple[Fraction, Fraction]:
        """Return the pixels per ``unit`` in both directions; requires a unit."""
        factor = CENTIMETRES[unit] / CENTIMETRES[self.unit]
        return _tidy(self.x * factor), _tidy(self.y * factor)


def resolution(x: Fraction | int, y: Fraction | int, unit: Unit) -> Resolution | None:
    """Return the resolution, ``None`` if it says nothing or cannot be meant."""
    is_possible = all(MIN_DENSITY <= side <= MAX_DENSITY for side in (x, y))
    return Resolution(Fraction(x), Fraction(y), unit) if is_possible and (unit or x != y) else None


def _tidy(value: Fraction) -> Fraction:
    """Return the whole number that ``value`` stands for, if a container that counts in metres has rounded it."""
    return Fraction(round(value)) if abs(value - round(value)) <= METRE_STEP else value


class Text(NamedTuple):
    """A text of PNG: its keyword, its bytes, and their encoding; ``language`` is that of an international text."""

    keyword: str
    value: bytes
    encoding: Literal["latin-1", "utf-8"]
    language: bytes = b""


class Blocks(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata of one file, in the bytes of the source.

    ``exif`` begins with the header of TIFF; ``xmp`` is one packet in UTF-8, with its extension; ``iptc`` is a series of datasets
    (IIM); ``resources`` are those of Photoshop that the table names, by number. ``comments`` are those without a keyword.
    ``is_incomplete``: something could not be read. ``has_gain_map``: the file has a second image for high dynamic range.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    resources: tuple[tuple[int, bytes], ...] = ()
    texts: tuple[Text, ...] = ()
    comments: tuple[bytes, ...] = ()
    resolution: Resolution | None = None
    is_incomplete: bool = False
    has_gain_map: bool = False


EMPTY = Blocks()
