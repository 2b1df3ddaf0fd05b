"""The contract of every packing: samples in, one file out, the same bytes for the same samples; and the way back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol

from pixmill.batch.datasets.sample import Sample
from pixmill.core.errors import AddressError
from pixmill.core.registry import Registry


class ShardWriter(Protocol):
    """Writes one shard, front to back."""

    def add(self, sample: Sample, contents: Sequence[bytes]) -> Sequence[int]:
        """Append ``sample`` with the content of each of its members; return where each will be found."""

    def close(self) -> None:
        """Write what is held back and the end of the shard; the file itself is the caller's."""


class ShardReader(Protocol):
    """Reads single members of one shard."""

    def read(self, position: int, size: int) -> bytes:
        """Return the content of the member that ``add`` put at ``position``. ``ReadError`` when it cannot be had."""

    def close(self) -> None:
        """Let go of the file."""


class Packing(ABC):
    """How a shard is made: one module of ``pixmill.batch.datasets.packings``, which gives it its name.

    ``suffix`` ends the names of its files. ``version`` changes with the bytes that it makes of the same samples.
    ``position`` is the word for where a member is.
    """

    suffix: ClassVar[str]
    position: ClassVar[str]
    version: ClassVar[int]

    @classmethod
    @abstractmethod
    def check(cls) -> None:
        """Do nothing, or raise ``MissingExtra`` when a part of pixmill that it needs is not installed."""

    @classmethod
    @abstractmethod
    def writer(cls, file: BinaryIO) -> ShardWriter:
        """Return what writes a shard to ``file``, which can do nothing but write."""

    @classmethod
    @abstractmethod
    def reader(cls, path: Path) -> ShardReader:
        """Open the shard at ``path``. ``ReadError`` when it cannot be."""


def packings() -> Registry[Packing]:
    """Return every packing, by the name that stands before ``://``."""
    package = "pixmill.batch.datasets.packings"
    return Registry(package, Packing, "packing", AddressError)  # type: ignore[type-abstract]  # it makes none
