"""``MaxDelete``: how many outputs may be removed at once."""

import re
from typing import ClassVar, Self

_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*")
_DEFAULT_PERCENT, _DEFAULT_FILES = 10.0, 10


class MaxDelete:
    """A number of files, ``500``, or a share of the recorded outputs, ``25%``. Without either: a tenth, or ten files if more."""

    __slots__ = ("files", "percent")
    expected: ClassVar[str] = "a number of files such as 500, or a share of the outputs such as 25%"

    def __init__(self, files: int | None = None, percent: float | None = None) -> None:
        """Set the limit as a number of ``files`` or in ``percent``."""
        self.files = files
        self.percent = percent

    def allows(self, files: int, *, of: int) -> bool:
        """Tell whether ``files`` of the ``of`` recorded outputs may be removed."""
        if self.files is not None:
            return files <= self.files
        percent = _DEFAULT_PERCENT if self.percent is None else self.percent
        return files * 100 <= of * percent or (self.percent is None and files <= _DEFAULT_FILES)

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``value``; ``ValueError`` if it is neither a number nor a percentage up to 100%."""
        match = None if isinstance(value, bool) else _PATTERN.fullmatch(str(value))
        if match is None or (not match[2] and not match[1].isdigit()) or (match[2] and float(match[1]) > 100):  # noqa: PLR2004
            raise ValueError(cls.expected)
        return cls(percent=float(match[1])) if match[2] else cls(files=int(match[1]))

    def to_builtin(self) -> str:
        """Return the canonical text; empty for the default."""
        if self.files is not None:
            return str(self.files)
        return "" if self.percent is None else f"{self.percent:g}%"

    def __str__(self) -> str:
        """Return the text for a message."""
        return self.to_builtin() or "a tenth"

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, MaxDelete) and (self.files, self.percent) == (other.files, other.percent)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash((self.files, self.percent))
