"""The contract of sources, which yield the inputs of a run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Literal, Protocol, Self, runtime_checkable

import msgspec

from pixmill.batch.config.models import Selection
from pixmill.batch.outputs.own_folders import OwnFolders
from pixmill.core.errors import AddressError, ImageError
from pixmill.core.registry import Registry
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, LocatedEntry
from pixmill.storage.local.inodes import absolute, real
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.storage import Storage

OnError = Callable[[bytes, ImageError], None]
#: called with a path that the source itself skips, and the reason: ``symlink`` or ``output``
OnIgnored = Callable[[bytes, str], None]
Shape = Literal["folder", "archive", "list", "image"]
_MAX_EXAMINED = 1000  # entries
SYMLINK = "symlink"
FALLBACK = "directory"  # the source for addresses that no other source claims


def no_op(path: bytes, reason: str) -> None:
    """Do nothing, for callers that do not count skipped paths."""
    del path, reason


class Folder(Entry, frozen=True, array_like=True, gc=False, eq=False):
    """A folder listed beside entries. It is no input, but reserves a name: no output may take that of a folder with outputs."""


class Row(LocatedEntry, frozen=True, array_like=True, gc=False, eq=False):
    """An entry from a list. ``columns`` holds the other columns of its row, as a JSON object; empty if there are none."""

    columns: bytes = b""


class MemberEntry(Row, frozen=True, array_like=True, gc=False, eq=False):
    """An entry of one of several sources: the one with this ``index``, below whose root it has the path ``inner``.

    ``is_explicit`` is that of its source.
    """

    index: int = 0
    inner: bytes = b""
    is_explicit: bool = False


def path_in_source(entry: Entry) -> bytes:
    """Return the path of ``entry`` below the root of the source that it comes from, even if there are several sources."""
    return entry.inner if isinstance(entry, MemberEntry) else entry.path


class Given(msgspec.Struct, frozen=True):
    """The location of the source that was given as number ``index``, from 0: its ``address`` and ``roots``, as in ``Source``."""

    index: int
    address: Address
    roots: tuple[bytes, ...]


class SourceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters for opening a source: SRC, the selection options, and the locations that the run writes to.

    ``output`` is DST, ``own`` are the local folders that the run writes to. ``policy`` retries the requests to a store.
    ``names_begin_alike``: names of outputs begin with those of their sources. ``is_one_of_several`` sources, which are merged.
    ``key_range``: only keys of a bucket from the first to before the second, each of which may be empty.
    """

    address: Address
    selection: Selection = Selection()  # immutable
    output: Address | None = None
    own: OwnFolders = msgspec.field(default_factory=OwnFolders)
    policy: OutagePolicy = msgspec.field(default_factory=OutagePolicy)
    names_begin_alike: bool = False
    is_one_of_several: bool = False
    key_range: tuple[str, str] | None = None


class Source(Protocol):
    """Yields candidate inputs as a stream, in an order that is stable between runs.

    ``address`` is what a worker opens to read the entries that this process sees in ``storage``. ``is_explicit`` means that the
    user named each entry, so each counts as an image, whatever its extension. ``has_columns`` means that entries carry columns,
    which may change between runs; an output is reused if nothing else has changed. ``shape`` is what SRC is. ``has_unique_paths``
    means that no two of its images have the same path, in whatever places they are. ``is_dated``: it was listed some time ago, so
    an entry that has another version by now is read as it is. ``is_in_range``: it has only keys in the ``key_range``
    of its request.
    """

    storage: Storage
    is_explicit: bool
    has_columns: bool
    has_unique_paths: bool
    is_dated: bool
    is_in_range: bool
    shape: Shape

    @property
    def address(self) -> Address:
        """Return the address that a worker opens."""

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the local folders that hold the input, where they are known before listing."""

    def given(self) -> "Iterator[Given]":
        """Yield where each source is that this one consists of; most consist of one."""

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the places that its images may be in: each a folder, bucket or archive, under one name however it is reached."""

    def locate(self, path: bytes, locator: bytes) -> tuple[bytes, bytes]:
        """Return the place of the image ``path``, one of ``places``, and its path there. ``locator`` is that of its entry."""

    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, sorted. A large folder may come in parts: entries whose names may collide are in one.

        A folder of a bucket may come after its subfolders, or in parts between them. The subfolders follow the entries, in each
        part, each as a ``Folder``; while a bucket is being listed, those that have come so far, among them all whose names an
        output in this part may want. An empty list means that no folder has arrived yet.
        For a folder that cannot be read, ``on_error`` is called with its path and the listing continues.
        """

    def find(self, paths: Iterable[bytes]) -> Iterator[Entry] | None:
        """Return those of the entries at ``paths`` that a listing would yield; ``None`` if a listing is needed to tell."""

    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns that its first entries have, by reading those; none if that is not possible."""


class SourceKind(ABC):
    """A kind of ``Source``: the class that a module of ``pixmill.batch.sources`` defines.

    ``directory`` opens addresses that no other kind claims. Instances have ``address`` and ``storage``, as every source has.
    """

    address: Address
    storage: Storage
    is_explicit: bool = False
    has_columns: bool = False
    has_unique_paths: bool = True
    is_dated: bool = False
    is_in_range: bool = False
    shape: Shape = "folder"

    @classmethod
    @abstractmethod
    def claims(cls, address: Address) -> bool:
        """Tell from ``address``, and from the file there if it is local, whether this kind opens it; must not import anything."""

    @classmethod
    @abstractmethod
    def open(cls, request: SourceRequest) -> Self:
        """Return the source; ``AddressError`` or ``RunError`` when it does not exist or cannot be read. Writes nothing."""

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Return the local folder at ``address``, if it is local."""
        return (absolute(self.address.location),) if self.address.local else ()

    def given(self) -> "Iterator[Given]":
        """Yield where this source is."""
        yield Given(0, self.address, self.roots)

    @property
    def places(self) -> tuple[bytes, ...]:
        """Return the folder with its links resolved, or the address in a store."""
        return (place_of(self.address),)

    def locate(self, path: bytes, locator: bytes) -> tuple[bytes, bytes]:  # noqa: ARG002  # sources with several places use it
        """Return the place of the image ``path`` and its path there."""
        return self.places[0], path

    @abstractmethod
    def folders(self, on_error: OnError, on_ignored: OnIgnored = no_op) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder; see ``Source.folders``."""

    def find(self, paths: Iterable[bytes]) -> Iterator[Entry] | None:  # noqa: ARG002  # sources that can look files up use it
        """Return ``None``: a listing is needed."""
        return None

    def column_names(self) -> tuple[str, ...]:
        """Return nothing: most entries have no columns."""
        return ()


@runtime_checkable
class KnowsLocators(Protocol):
    """A source that can tell whether an entry is its own, whatever its address."""

    def has(self, locator: bytes) -> bool:
        """Tell whether the entry with this ``locator`` is one of it."""


def first_columns(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the names of the columns that the first of ``entries`` have, in the order of their first appearance."""
    rows = (each.columns for each in islice(entries, _MAX_EXAMINED) if isinstance(each, Row))
    names = (name for columns in rows if columns for name in msgspec.json.decode(columns, type=dict[str, msgspec.Raw]))
    return tuple(dict.fromkeys(names))


def place_of(address: Address) -> bytes:
    """Return the name of the place at ``address``: the path without links of a local folder, or the URL."""
    return real(address.location) if address.local else address.url.encode("utf-8", "surrogateescape").rstrip(b"/")


def place_name(place: bytes) -> bytes:
    """Return the name of a folder, bucket or archive: the last part of its ``place``."""
    return place.rstrip(b"/").rpartition(b"/")[2]


def with_folders(entries: list[Entry], folders: Iterable[bytes]) -> list[Entry]:
    """Return ``entries``, all of one folder, followed by those of ``folders`` that are in the same folder."""
    beside = subfolders(entries[0].path.rpartition(b"/")[0], folders)
    return [*entries, *beside] if beside else entries


def subfolders(parent: bytes, folders: Iterable[bytes]) -> list[Folder]:
    """Return those of ``folders`` that are in ``parent``, sorted."""
    return [Folder(path, 0, b"") for path in sorted({path for path in folders if path.rpartition(b"/")[0] == parent})]


def sources() -> Registry[SourceKind]:
    """Return every kind of source, by the name of its module."""
    return Registry("pixmill.batch.sources", SourceKind, "source", AddressError)  # type: ignore[type-abstract]  # only subclasses are instantiated


def open_source(request: SourceRequest) -> Source:
    """Open SRC as the kind of source that claims it; ``AddressError`` or ``RunError`` when it cannot be read."""
    return kind_of(request.address, sources()).open(request)


def kind_of(address: Address, kinds: Registry[SourceKind]) -> type[SourceKind]:
    """Return the one of ``kinds`` that claims ``address``."""
    special = (kinds.get(name) for name in kinds.names() if name != FALLBACK)
    return next((kind for kind in special if kind.claims(address)), None) or kinds.get(FALLBACK)
