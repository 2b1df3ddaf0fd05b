"""The contract of every source: it yields the inputs of a run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Protocol, Self

import msgspec

from pixmill.batch.config import Selection
from pixmill.core.errors import ImageError
from pixmill.storage.address import Address
from pixmill.storage.storage import Entry, Placed, Storage

Refused = Callable[[bytes, ImageError], None]


class Row(Placed, frozen=True, array_like=True, gc=False):
    """An entry that a list names. ``columns`` is what the list says of it besides, as a JSON object; empty for nothing."""

    columns: bytes = b""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is opened from: SRC, the options of taking, and the ``outputs``, places where a run puts what it makes."""

    address: Address
    selection: Selection = Selection()  # immutable
    outputs: tuple[Address, ...] = ()


class Source(Protocol):
    """Yields what could be input, as a stream, in an order that does not change between runs.

    ``address`` is what a worker opens to read the entries that this process sees in ``storage``. ``is_chosen`` says that
    whatever it yields was named one by one, so that it is an image whatever it is called; ``is_described`` that it may say of an
    image what it has not said before, so that outputs are kept where only that is new.
    """

    address: Address
    storage: Storage
    is_chosen: bool
    is_described: bool

    def folders(self, refused: Refused) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder: the entries of one folder at once, sorted, since their names may collide.

        A folder that cannot be read is given to ``refused`` with its path, and the rest goes on.
        """


class SourceKind(ABC):
    """A ``Source`` that SRC can be: the class that a module of ``pixmill.batch.sources`` defines.

    ``directory`` takes what no other claims. An object of it has ``address`` and ``storage``, as every source has.
    """

    address: Address
    storage: Storage
    is_chosen: bool = False
    is_described: bool = False

    @classmethod
    @abstractmethod
    def claims(cls, address: Address) -> bool:
        """Tell from the address, and from what is there if it is local, whether it is this kind; imports nothing for it."""

    @classmethod
    @abstractmethod
    def open(cls, asked: Asked) -> Self:
        """Return the source; ``AddressError`` or ``RunError`` when it is not there or cannot be read. Writes nothing."""

    @abstractmethod
    def folders(self, refused: Refused) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, as ``Source`` says."""
