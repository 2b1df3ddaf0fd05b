"""Aspect ratios, written as ``16:9``, ``3/2`` or ``1.5``."""

import re
from typing import ClassVar, Self


class Ratio:
    """The ratio of width to height. It keeps both numbers, so that ``16:9`` prints as written."""

    __slots__ = ("height", "width")
    expected: ClassVar[str] = "an aspect ratio such as 16:9 or 1.5"
    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"(\d+(?:\.\d+)?)(?:\s*[:/]\s*(\d+(?:\.\d+)?))?")

    def __init__(self, width: float, height: float = 1) -> None:
        """Take both sides. Raise ``ValueError`` unless they are above 0."""
        if width <= 0 or height <= 0:
            raise ValueError(self.expected)
        self.width, self.height = width, height

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``. Raise ``ValueError`` if it is not a ratio."""
        match = None if isinstance(value, bool) else cls._pattern.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(cls.expected)
        return cls(float(match[1]), float(match[2] or 1))

    def __float__(self) -> float:
        """Return the width for a height of 1."""
        return self.width / self.height

    def to_builtin(self) -> str:
        """Return the canonical text, which parses back to the same value."""
        return f"{self.width:.12g}:{self.height:.12g}"

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text with the class name."""
        return f"Ratio({self})"

    def __eq__(self, other: object) -> bool:
        """Compare as written: 16:9 and 32:18 make different recipes with the same result."""
        return isinstance(other, Ratio) and self.to_builtin() == other.to_builtin()

    def __hash__(self) -> int:
        """Hash as written."""
        return hash(self.to_builtin())
