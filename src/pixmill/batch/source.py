"""The contract of every source: it yields the inputs of a run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

import msgspec

from pixmill.batch.config.models import Selection
from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.core.errors import AddressError, ImageError
from pixmill.core.registry import Registry
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, LocatedEntry
from pixmill.storage.local.inodes import absolute
from pixmill.storage.storage import Storage

OnError = Callable[[bytes, ImageError], None]
#: is told of a path that a source leaves out by itself, and the reason: ``symlink`` or ``output``
OnIgnored = Callable[[bytes, str], None]
SYMLINK = "symlink"
ANY = "directory"  # the source that takes what no other claims


def unnoticed(path: bytes, reason: str) -> None:
    """Do nothing: nobody counts what is ignored."""
    del path, reason


class Folder(Entry, frozen=True, array_like=True, gc=False):
    """A folder beside entries, which is no input: no output is called as the folder that its images will be in."""


class Row(LocatedEntry, frozen=True, array_like=True, gc=False):
    """An entry that a list names. ``columns`` is what the list says of it besides, as a JSON object; empty for nothing."""

    columns: bytes = b""


class SourceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is opened from: SRC, the options of taking, and where a run puts what it makes.

    ``output`` is DST, ``own`` are the folders of this machine that the run writes to.
    """

    address: Address
    selection: Selection = Selection()  # immutable
    output: Address | None = None
    own: OwnFolders = msgspec.field(default_factory=OwnFolders)


class Source(Protocol):
    """Yields what could be input, as a stream, in an order that does not change between runs.

    ``address`` is what a worker opens to read the entries that this process sees in ``storage``. ``is_chosen`` says that
    whatever it yields was named one by one, so that it is an image whatever it is called; ``is_described`` that it may say of an
    image what it has not said before, so that outputs are kept where only that is new.
    """

    address: Address
    storage: Storage
    is_explicit: bool
    has_columns: bool

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folders of this machine that the input is in, where that is known before it is listed."""

    def folders(self, refused: OnError, ignored: OnIgnored = unnoticed) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder: the entries of one folder at once, sorted, since their names may collide.

        Behind them come the folders in it, each as a ``Folder``. A folder that cannot be read is given to ``refused`` with its
        path, and the rest goes on.
        """


class SourceKind(ABC):
    """A ``Source`` that SRC can be: the class that a module of ``pixmill.batch.sources`` defines.

    ``directory`` takes what no other claims. An object of it has ``address`` and ``storage``, as every source has.
    """

    address: Address
    storage: Storage
    is_explicit: bool = False
    has_columns: bool = False

    @classmethod
    @abstractmethod
    def claims(cls, address: Address) -> bool:
        """Tell from the address, and from what is there if it is local, whether it is this kind; imports nothing for it."""

    @classmethod
    @abstractmethod
    def open(cls, asked: SourceRequest) -> Self:
        """Return the source; ``AddressError`` or ``RunError`` when it is not there or cannot be read. Writes nothing."""

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the folder of this machine at ``address``, if it is one."""
        return (absolute(self.address.location),) if self.address.local else ()

    @abstractmethod
    def folders(self, refused: OnError, ignored: OnIgnored = unnoticed) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, as ``Source`` says."""


def with_folders(entries: list[Entry], folders: Iterable[bytes]) -> list[Entry]:
    """Return ``entries``, which are of one folder, and behind them those of ``folders`` that are in the same one."""
    here = entries[0].path.rpartition(b"/")[0]
    beside = sorted({folder for folder in folders if folder.rpartition(b"/")[0] == here})
    return [*entries, *(Folder(folder, 0, b"") for folder in beside)] if beside else entries


def sources() -> Registry[SourceKind]:
    """Return every kind of source, by the name of its module."""
    return Registry("pixmill.batch.sources", SourceKind, "source", AddressError)  # type: ignore[type-abstract]  # it makes none


def open_source(asked: SourceRequest) -> Source:
    """Open SRC as the kind of source that claims it; ``AddressError`` or ``RunError`` when it cannot be read."""
    kinds = sources()
    special = (kinds.get(name) for name in kinds.names() if name != ANY)
    kind = next((kind for kind in special if kind.claims(asked.address)), None) or kinds.get(ANY)
    return kind.open(asked)
