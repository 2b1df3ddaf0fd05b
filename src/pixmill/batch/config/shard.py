"""``Shard``: one of n parts of a run. ``Splits``: the parts of a dataset. A hash of its name assigns a source or sample to one."""

import math
import re
import zlib
from bisect import bisect_right
from collections.abc import Mapping
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Self

from pixmill.core.validation import InvalidValue

if TYPE_CHECKING:
    from fractions import Fraction  # which few runs need

_PATTERN = re.compile(r"(\d+)/(\d+)")
_FOLDER = re.compile(r"shard-(\d+)-of-(\d+)")
_SPLIT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SHARE = re.compile(r"[0-9]?[.][0-9]{1,18}|1|[1-9][0-9]{0,8}/[1-9][0-9]{0,8}")
_RANGE = 1 << 64


class Shard:
    """The ``index``-th of ``count`` parts, counted from 1: ``3/16``. A given name always belongs to the same part."""

    __slots__ = ("count", "index", "keys")
    expected: ClassVar[str] = "a shard such as 3/16, the first being 1/16"

    def __init__(self, index: int = 1, count: int = 1, keys: tuple[str, ...] = ()) -> None:
        """Set the number of the part, from 1, and the number of parts. If there are ``keys``, the other parts begin at these."""
        self.index = index
        self.count = count
        self.keys = keys

    def takes(self, path: bytes) -> bool:
        """Tell whether the source at ``path`` belongs to this part."""
        if self.keys:
            from pixmill.storage.object_store.keys import key_of  # noqa: PLC0415  # few runs are divided at keys

            return bisect_right(self.keys, key_of(path)) == self.index - 1
        return self.count == 1 or zlib.crc32(path) % self.count == self.index - 1

    @property
    def range(self) -> tuple[str, str] | None:
        """Return the first key of this part and that of the next, each empty if there is none; ``None`` if a hash divides."""
        return ("", *self.keys, "")[self.index - 1 : self.index + 1] if self.keys else None  # type: ignore[return-value]  # two

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


class Splits:
    """Names of splits and their shares, which add up to 1. A given key always belongs to the same split.

    Shares that change move no more samples than they have to, as long as the order of the names stays.
    """

    __slots__ = ("_bounds", "shares")
    expected: ClassVar[str] = "names and shares that add up to 1, such as train=0.9,val=0.1"

    def __init__(self, shares: "Mapping[str, Fraction] | None" = None) -> None:
        """Store the share of each split; without any, a dataset is not split."""
        self.shares = dict(shares or {})
        totals = accumulate(self.shares.values())
        self._bounds = [(int(total * _RANGE), name) for name, total in zip(self.shares, totals, strict=True)]

    def of(self, key: bytes) -> str:
        """Return the split of the sample ``key``; empty if there are none."""
        if not self.shares:
            return ""
        position = int.from_bytes(blake2b(key, digest_size=8, person=b"split").digest())
        return next(name for bound, name in self._bounds if position < bound)

    @classmethod
    def from_builtin(cls, value: object) -> Self:
        """Parse ``NAME=SHARE,...`` or a table of shares by name; ``ValueError`` when it is invalid."""
        pairs = list(value.items()) if isinstance(value, Mapping) else [_pair(text) for text in str(value).split(",")]
        shares = {str(name).strip(): _share(share) for name, share in pairs}
        if len(shares) < len(pairs):
            raise InvalidValue(cls.expected, value, answer="each name once")
        invalid = next((name for name in shares if not _SPLIT.fullmatch(name)), None)
        if invalid is not None:
            raise InvalidValue(cls.expected, value, answer="a name begins with a letter and has letters, digits and _")
        total = sum(shares.values())
        if total != 1:
            raise InvalidValue(cls.expected, value, answer=f"these add up to {float(total):g}")
        return cls(shares)

    def to_builtin(self) -> str:
        """Return the canonical text; empty without splits."""
        return ",".join(f"{name}={_text(share)}" for name, share in self.shares.items())

    def __str__(self) -> str:
        """Return the canonical text."""
        return self.to_builtin()

    def __repr__(self) -> str:
        """Return the canonical text inside the class name."""
        return f"Splits({self})"

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.shares)

    def __eq__(self, other: object) -> bool:
        """Compare by value, and by order, which decides about the samples."""
        return isinstance(other, Splits) and list(self.shares.items()) == list(other.shares.items())

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(tuple(self.shares.items()))


def _pair(text: str) -> tuple[str, str]:
    name, equals, share = text.partition("=")
    if not equals:
        raise ValueError(Splits.expected)
    return name, share


def _share(value: object) -> "Fraction":
    from fractions import Fraction  # noqa: PLC0415  # few runs need it

    text = str(value).strip()
    if not _SHARE.fullmatch(text) or not 0 < Fraction(text) <= 1:
        raise ValueError(Splits.expected)
    return Fraction(text)


def _text(share: "Fraction") -> str:
    """Return ``share`` as a decimal number if it is one, so that it parses back to the same share."""
    decimal = repr(float(share))
    return decimal if _share(decimal) == share else str(share)
