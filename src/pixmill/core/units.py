"""Quantities as people write them: ``100MP``, ``2GB``, ``30s``, ``50/s``, ``1920x1080``.

Each quantity has its own type, parses human-readable text, prints the same text, and can be used as a plain number.
"""

import math
import re
from decimal import Decimal
from typing import ClassVar, Self

from pixmill.core.validation import InvalidValue

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z/%]*)\s*", re.IGNORECASE)


def plain(amount: float) -> str:
    """Format ``amount`` exactly and without an exponent, which the quantities do not parse."""
    return format(Decimal(repr(float(amount))).normalize(), "f")


class Quantity:
    """Base of the numeric quantities: a number, a unit, and the conversion back to text."""

    __slots__ = ()
    expected: ClassVar[str]
    units: ClassVar[dict[str, float]]
    allows_zero: ClassVar[bool] = False

    @classmethod
    def number(cls, value: object) -> float:
        """Return ``value`` (a number in the base unit, or text with a unit) in the base unit; else ``ValueError``."""
        if isinstance(value, bool):
            raise ValueError(cls.expected)  # noqa: TRY004  # the same error as for any other wrong value
        if isinstance(value, int | float):
            amount, unit = float(value), ""
        else:
            match = _NUMBER.fullmatch(str(value))
            if match is None:
                raise ValueError(cls.expected)
            amount, unit = float(match[1]), match[2]
        factor = cls.units.get(unit.lower())
        if factor is None or amount < 0:
            raise ValueError(cls.expected)
        if not (amount or cls.allows_zero):
            raise ValueError(f"{cls.expected}, and more than 0")
        return amount * factor

    @classmethod
    def text(cls, amount: float) -> str:
        """Format ``amount`` in the largest unit that divides it."""
        for unit, factor in sorted(cls.units.items(), key=lambda item: -item[1]):
            if unit and amount and (amount / factor).is_integer():
                return f"{amount / factor:.0f}{cls.spelling.get(unit, unit)}"
        return plain(amount)

    spelling: ClassVar[dict[str, str]] = {}

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse a value from a TOML file, a flag or a Python caller."""
        return cls(cls.number(value))  # type: ignore[call-arg]  # the numeric base supplies the constructor

    def to_builtin(self) -> str:
        """Return the canonical text, which parses back to the same value."""
        return self.text(float(self))  # type: ignore[arg-type]  # every subclass is a number

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()


class Pixels(Quantity, int):
    """A number of pixels: ``100MP``, ``4GP`` or a plain integer."""

    __slots__ = ()
    expected = "a number of pixels such as 100MP"
    units: ClassVar = {"": 1, "px": 1, "kp": 1e3, "mp": 1e6, "gp": 1e9}
    spelling: ClassVar = {"px": "", "kp": "kP", "mp": "MP", "gp": "GP"}


class ByteSize(Quantity, int):
    """A number of bytes: ``256MB`` (decimal), ``256MiB`` (binary) or a plain integer."""

    __slots__ = ()
    expected = "a number of bytes such as 256MB or 2GiB"
    units: ClassVar = {
        "": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1e3, "m": 1e6, "g": 1e9,
        "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    }  # fmt: skip
    spelling: ClassVar = {
        "b": "B", "kb": "kB", "mb": "MB", "gb": "GB", "tb": "TB", "k": "kB", "m": "MB", "g": "GB",
        "kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB",
    }  # fmt: skip


class Duration(Quantity, float):
    """A length of time in seconds: ``500ms``, ``30s``, ``5m``, ``2h`` or a plain number of seconds."""

    __slots__ = ()
    expected = "a duration such as 30s, 500ms or 5m"
    allows_zero = True
    units: ClassVar = {"": 1, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
    spelling: ClassVar = {"min": "m"}


class TimeLimit(Duration):
    """A length of time after which something ends, so more than nothing."""

    __slots__ = ()
    allows_zero = False


class Rate(Quantity, float):
    """A number of images per second: ``50/s``, ``600/m`` or a plain number."""

    __slots__ = ()
    expected = "a rate such as 50/s"
    units: ClassVar = {"": 1, "/s": 1, "/m": 1 / 60, "/min": 1 / 60, "/h": 1 / 3600}

    def to_builtin(self) -> str:
        """Return the rate in images per second."""
        return f"{plain(self)}/s"


class CountOrPercent:
    """A number of images, ``20``, or a percentage of them, ``5%``."""

    __slots__ = ("count", "percent")
    expected: ClassVar[str] = "a number of images such as 20, or a percentage such as 5%"
    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"\s*(?:(\d+)|(\d+(?:\.\d+)?)\s*%)\s*")

    def __init__(self, count: int = 0, *, percent: float | None = None) -> None:
        """Store the percentage, 0 to 100, or the number if there is none."""
        self.count = count
        self.percent = percent

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``; ``ValueError`` if it is neither a count nor a percentage up to 100."""
        match = None if isinstance(value, bool) else cls._pattern.fullmatch(str(value))
        if match is None or float(match[2] or 0) > 100:  # noqa: PLR2004  # percent
            raise ValueError(cls.expected)
        return cls(int(match[1])) if match[1] else cls(percent=float(match[2]))

    def of(self, total: int) -> float:
        """Return the number of images that this is, out of ``total``."""
        return self.count if self.percent is None else total * self.percent / 100

    def to_builtin(self) -> str:
        """Return the canonical text."""
        return str(self.count) if self.percent is None else f"{plain(self.percent)}%"

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text inside the class name."""
        return f"{type(self).__name__}({self})"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return type(other) is type(self) and str(self) == str(other)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(str(self))


ALL = CountOrPercent(percent=100)


class SampleSize(CountOrPercent):
    """The size of a sample: at least one image, at most ``MAX_COUNT``."""

    __slots__ = ()
    MAX_COUNT: ClassVar[int] = 10_000  # images, which are all held in memory
    expected: ClassVar[str] = "a number of images from 1 to 10000 such as 20, or a percentage such as 1%"

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``; ``ValueError`` also if it is zero, or too many."""
        size = super().from_builtin(value)
        if not (0 < size.count <= cls.MAX_COUNT if size.percent is None else size.percent > 0):
            raise ValueError(cls.expected)
        return size

    def of(self, total: int) -> float:
        """Return the number of images to take from ``total``: a percentage is rounded up, and limited to ``MAX_COUNT``."""
        return min(total, self.MAX_COUNT, math.ceil(super().of(total)))


class Size:
    """A box in pixels, ``1920x1080``; one side may be omitted: ``1920x`` or ``x1080``; ``1920`` sets both sides.

    Or a percentage of the current size, ``50%``; a number of pixels, ``2MP``; or ``keep`` (also ``none``, ``original``): the
    current size, with none of these.
    """

    __slots__ = ("area", "height", "percent", "width")
    expected: ClassVar[str] = "a size such as 1920x1080, 1920x, x1080, 50% or 2MP, or keep"
    _expected_box: ClassVar[str] = "a size such as 1920x1080, 1920x or x1080 with sides of at least 1"
    _box: ClassVar[re.Pattern[str]] = re.compile(
        r"\s*(\d*)\s*(?:px)?\s*[x\u00d7*]\s*(\d*)\s*(?:px)?\s*|\s*(\d+)\s*(?:px)?\s*", re.IGNORECASE
    )
    _percentage: ClassVar[re.Pattern[str]] = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
    _area: ClassVar[re.Pattern[str]] = re.compile(r"\s*\d+(?:\.\d+)?\s*(?:kp|mp|gp)\s*", re.IGNORECASE)
    _keep_words: ClassVar[tuple[str, ...]] = ("keep", "none", "original")
    _max_percent: ClassVar[float] = 10_000
    _geometries: ClassVar[dict[str, str]] = {
        ">": "leave out the >: images are never enlarged",
        "<": "to enlarge images use --step resize:width=...,enlarge=true",
        "^": "to fill the box use --fit cover",
        "!": "to stretch images use --fit fill",
        "@": "for a number of pixels use --size 2MP",
    }

    def __init__(
        self, width: int | None = None, height: int | None = None, *, percent: float | None = None, area: Pixels | None = None
    ) -> None:
        """Store the sides in pixels (``None``: no bound), the percentage of both current sides, or the number of pixels."""
        self.width = width
        self.height = height
        self.percent = percent
        self.area = area

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``; ``ValueError`` if it is not a size."""
        if value is False or str(value).strip().lower() in cls._keep_words:
            return cls()
        if percentage := cls._percentage.fullmatch(str(value)):
            percent = float(percentage[1])
            if not 0 < percent <= cls._max_percent:
                raise ValueError(cls.expected)
            return cls(percent=percent)
        if cls._area.fullmatch(str(value)):
            return cls(area=Pixels.from_builtin(value))
        match = None if isinstance(value, bool) else cls._box.fullmatch(str(value))
        if match is None:
            raise InvalidValue(cls.expected, value, answer=cls._answer(str(value)))
        width, height, square = (int(text) if text else None for text in match.groups())
        if 0 in (width, height, square) or (width, height, square) == (None, None, None):
            raise ValueError(cls._expected_box)
        return cls(square or width, square or height)

    @classmethod
    def _answer(cls, text: str) -> str:
        """Return what to write for a size in the syntax of another tool: an aspect ratio, or a geometry of ImageMagick."""
        if re.fullmatch(r"\d+:\d+", text):
            return f"for an aspect ratio use --step crop:aspect={text}"
        return cls._geometries.get(text[-1:], "") if cls._box.fullmatch(text[:-1]) else ""

    @property
    def is_box(self) -> bool:
        """Tell whether at least one side is given in pixels."""
        return (self.width, self.height) != (None, None)

    def to_builtin(self) -> str:
        """Return the canonical text."""
        if self.percent is not None:
            return f"{plain(self.percent)}%"
        if self.area is not None:
            return str(self.area)
        return f"{self.width or ''}x{self.height or ''}" if self.is_box else self._keep_words[0]

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text inside the class name."""
        return f"Size({self})"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Size) and str(self) == str(other)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(str(self))
