"""Files and objects wherever they are, by their places: what a list of paths and URLs is read through."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Self

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.open import open_storage
from pixmill.storage.read_only import ReadOnly
from pixmill.storage.storage import Storage

_LOCAL = "local"
_KEPT = 32  # storages that stay open
_WEB = (b"http", b"https")


class MultiStorage(ReadOnly):
    """Reads by places alone, each a whole address: NUL and ``/srv/a.jpg``, ``https://example.org/a.jpg`` or ``s3://bucket/a.jpg``.

    Each storage is opened when it is first needed. ``multi://#per-host=2`` has the terms for the web behind its ``#``.
    ``multi://local`` leads to files of this machine alone.
    """

    def __init__(self, *, terms: str = "", follow_symlinks: bool = False, is_local: bool = False) -> None:
        """Open nothing yet."""
        self._is_local = is_local
        self._terms = terms
        self._follow = follow_symlinks
        self._storages: OrderedDict[Address, Storage] = OrderedDict()

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # it writes nothing
        """Return a storage with the terms of ``address``."""
        location, _, terms = address.location.decode("ascii", "replace").partition("#")
        if location not in ("", _LOCAL):
            raise AddressError(f"expected multi:// or multi://{_LOCAL}, received {address}")
        return cls(terms=terms, follow_symlinks=follow_symlinks, is_local=location == _LOCAL)

    def stat(self, path: bytes) -> Entry | None:
        """Return what is at a place, or ``None``."""
        storage, inside = self._routed(path)
        found = storage.stat(inside)
        return None if found is None else Entry(path, found.size, found.version)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content of what is at a place."""
        storage, inside = self._routed(path)
        return storage.read(inside, limit=limit)

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes of what is at a place."""
        storage, inside = self._routed(path)
        return storage.head(inside, size)

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of a place that has one."""
        storage, inside = self._routed(path)
        return storage.local_path(inside)

    def list(
        self,
        under: bytes = b"",  # noqa: ARG002  # whatever it is
        *,
        descend: Callable[[bytes], bool] | None = None,  # noqa: ARG002  # the same
        on_error: Callable[[bytes, ReadError], None] | None = None,  # noqa: ARG002  # the same
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # the same
    ) -> Iterator[Listing]:
        """Refuse to: nobody lists all there is."""
        raise AddressError("multi:// has no listing: a list names what is to be read")

    def read_only_error(self, path: bytes) -> RunError:
        """Return that nothing is written through it."""
        shown = printable(path.lstrip(b"\0").partition(b"?")[0])
        return RunError(f"{shown} was named to be read, not to be written to", code="read-only")

    def _routed(self, place: bytes) -> tuple[Storage, bytes]:
        """Return the storage for ``place`` and what it is called there."""
        if not place.startswith(b"\0"):
            raise AddressError(f"expected a place, received the path {printable(place)!r}")
        scheme, mark, rest = place[1:].partition(b"://")
        if place.startswith(b"\0/") or not mark:
            return self._storage(Address("file", b"/")), place[1:].lstrip(b"/")
        if self._is_local:
            raise AddressError(f"{printable(scheme)}:// is not on this machine, and nothing else was to be read")
        if scheme in _WEB:  # one client for all hosts, which takes what follows as it stands
            return self._storage(Address(scheme.decode(), b"#" + self._terms.encode())), b"\0" + rest
        bucket, _, key = rest.partition(b"/")
        return self._storage(Address(scheme.decode("ascii", "replace"), bucket)), key

    def _storage(self, address: Address) -> Storage:
        storage = self._storages.get(address)
        if storage is None:
            storage = self._storages[address] = open_storage(address, follow_symlinks=self._follow)
            if len(self._storages) > _KEPT:
                self._storages.popitem(last=False)
        self._storages.move_to_end(address)
        return storage
