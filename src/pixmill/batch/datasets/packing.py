"""The contract of every packing: samples in, one file out, the same bytes for the same samples; and the way to read them back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

from pixmill.batch.datasets.sample import Sample
from pixmill.core.errors import AddressError
from pixmill.core.registry import Registry


class ShardWriter(Protocol):
    """Writes one shard sequentially."""

    def add(self, sample: Sample, contents: Sequence[bytes]) -> Sequence[int]:
        """Append ``sample`` with the content of each of its members; return the position of each."""

    def close(self) -> None:
        """Write buffered data and the end of the shard; the caller closes the file."""


class ShardReader(Protocol):
    """Reads single members of one shard."""

    def read(self, position: int, size: int) -> bytes:
        """Return the content of the member that ``add`` put at ``position``; ``ReadError`` if it cannot be read."""

    def close(self) -> None:
        """Close the file."""


class Packing(ABC):
    """The file format of a shard: one module of ``pixmill.batch.datasets.packings``, which gives it its name.

    ``suffix`` is the file name extension. ``version`` changes whenever the same samples give different bytes.
    ``position_name`` is the key in the index for the position of a member.
    """

    suffix: ClassVar[str]
    position_name: ClassVar[str]
    version: ClassVar[int]

    @classmethod
    @abstractmethod
    def check(cls) -> None:
        """Raise ``MissingExtra`` if an optional dependency that it needs is not installed."""

    @classmethod
    @abstractmethod
    def writer(cls, file: BinaryIO) -> ShardWriter:
        """Return a writer of a shard to ``file``, which supports nothing but writing."""

    @classmethod
    @abstractmethod
    def reader(cls, path: Path) -> ShardReader:
        """Open the shard at ``path``; ``ReadError`` if it cannot be opened."""


def packings() -> Registry[Packing]:
    """Return every packing, by its name in front of ``://``."""
    package = "pixmill.batch.datasets.packings"
    return Registry(package, Packing, "packing", AddressError)  # type: ignore[type-abstract]  # the registry creates no instance
