"""``Shard``: one of n parts of a run; a hash of its name assigns each source to a part."""

import math
import re
import zlib
from typing import ClassVar, Self

_PATTERN = re.compile(r"(\d+)/(\d+)")
_FOLDER = re.compile(r"shard-(\d+)-of-(\d+)")


class Shard:
    """The ``index``-th of ``count`` parts, counted from 1: ``3/16``. A given name always belongs to the same part."""

    __slots__ = ("count", "index")
    expected: ClassVar[str] = "a shard such as 3/16, the first being 1/16"

    def __init__(self, index: int = 1, count: int = 1) -> None:
        """Set the number of the part, from 1, and the number of parts."""
        self.index = index
        self.count = count

    def takes(self, path: bytes) -> bool:
        """Tell whether the source at ``path`` belongs to this part."""
        return self.count == 1 or zlib.crc32(path) % self.count == self.index - 1

    @property
    def folder(self) -> str:
        """Return the name of its folder inside the state folder of the output; empty for an unsplit run."""
        return "" if self.count == 1 else f"shard-{self.index}-of-{self.count}"

    @property
    def tag(self) -> str:
        """Return the tag in the names of its temporary files."""
        return f"{self.index}of{self.count}"

    @classmethod
    def of_folder(cls, name: str) -> Self | None:
        """Return the part whose state folder has this ``name``; ``None`` when it is not the name of one."""
        match = _FOLDER.fullmatch(name)
        shard = cls(int(match[1]), int(match[2])) if match else None
        return shard if shard and 1 <= shard.index <= shard.count and shard.folder == name else None

    def shares_with(self, other: "Shard") -> bool:
        """Tell whether any name could be in both parts: a split into 8 refines a split into 4, so most pairs are disjoint."""
        divisor = math.gcd(self.count, other.count)
        return self.index % divisor == other.index % divisor

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``i/n``; ``ValueError`` when the text is invalid."""
        match = _PATTERN.fullmatch(str(value))
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(cls.expected)
        return cls(int(match[1]), int(match[2]))

    def to_builtin(self) -> str:
        """Return the canonical text."""
        return f"{self.index}/{self.count}"

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Shard) and (self.index, self.count) == (other.index, other.count)

    def __hash__(self) -> int:
        """Hash by value."""
        return hash((self.index, self.count))
