"""Files and objects in several storages, addressed by locators: used to read the entries of a list of paths and URLs."""

from collections import OrderedDict
from typing import Self

from pixmill.core.errors import AddressError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage
from pixmill.storage.read_only import NotListed
from pixmill.storage.storage import Storage

_LOCAL = "local"
_MAX_OPEN_STORAGES = 32
_WEB = (b"http", b"https")
_ARCHIVES = (b"tar", b"zip", b"parquet")


class MultiStorage(NotListed):
    """Reads by locators only: NUL and a complete address, ``/srv/a.jpg``, ``https://example.org/a.jpg`` or ``s3://bucket/a.jpg``.

    A locator may also be NUL, the address of a storage, NUL, and a path or locator in that storage: for members of archives.

    Each storage is opened when it is first needed. ``multi://#per-host=2`` has the request policy for the web after its ``#``.
    ``multi://local`` reads local files only.
    """

    def __init__(self, *, web_policy: str = "", follow_symlinks: bool = False, is_local: bool = False) -> None:
        """Open nothing yet. ``web_policy`` is the text of a ``RequestPolicy``."""
        self._is_local = is_local
        self._web_policy = web_policy
        self._follow = follow_symlinks
        self._storages: OrderedDict[Address, Storage] = OrderedDict()

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # it writes nothing
        """Return a storage with the request policy of ``address``."""
        location, _, web_policy = address.location.decode("ascii", "replace").partition("#")
        if location not in ("", _LOCAL):
            raise AddressError(f"expected multi:// or multi://{_LOCAL}, received {address}")
        return cls(web_policy=web_policy, follow_symlinks=follow_symlinks, is_local=location == _LOCAL)

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry at a locator, or ``None``."""
        storage, inner_path = self._routed(path)
        entry = storage.stat(inner_path)
        return None if entry is None else Entry(path, entry.size, entry.version, entry.changed_at)

    def modified_ns(self, path: bytes) -> int | None:
        """Return when the content at a locator was last modified, or ``None``."""
        storage, inner_path = self._routed(path)
        return storage.modified_ns(inner_path)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content at a locator."""
        storage, inner_path = self._routed(path)
        return storage.read(inner_path, limit=limit)

    def read_version(self, entry: Entry, *, limit: int) -> bytes:
        """Return the content at a locator, which is the path of ``entry``, if it has its version."""
        storage, inner_path = self._routed(entry.path)
        return storage.read_version(Entry(inner_path, entry.size, entry.version), limit=limit)

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes of the content at a locator."""
        storage, inner_path = self._routed(path)
        return storage.head(inner_path, size)

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of a locator if it has one."""
        storage, inner_path = self._routed(path)
        return storage.local_path(inner_path)

    def file_of(self, path: bytes) -> bytes | None:
        """Return the local file that contains what is at a locator, if there is one."""
        storage, inner_path = self._routed(path)
        return storage.file_of(inner_path)

    def unlisted_error(self, under: bytes) -> AddressError:  # noqa: ARG002  # nothing can be listed
        """Return the error for a listing."""
        return AddressError("multi:// cannot be listed: it only reads the entries that a list names")

    def read_only_error(self, path: bytes) -> RunError:
        """Return the error for writing to a listed source."""
        shown = printable(path.lstrip(b"\0").partition(b"?")[0])
        return RunError(f"{shown} is an entry of a list of sources, which pixmill only reads", code="read-only")

    def _routed(self, locator: bytes) -> tuple[Storage, bytes]:
        """Return the storage for ``locator`` and the path or locator inside it."""
        if not locator.startswith(b"\0"):
            raise AddressError(f"expected a locator, received the path {printable(locator)!r}")
        scheme, separator, location = locator[1:].partition(b"://")
        if locator.startswith(b"\0/") or not separator:
            return self._storage(Address("file", b"/")), locator[1:].lstrip(b"/")
        if self._is_local and scheme not in _ARCHIVES:
            raise AddressError(f"{printable(scheme)}:// is not on this machine, but only local files are to be read")
        if scheme in _WEB:  # one client for all hosts, which takes the location unchanged
            return self._storage(Address(scheme.decode(), b"#" + self._web_policy.encode())), b"\0" + location
        root, nul, inner = location.partition(b"\0")
        if nul:
            return self._storage(Address(scheme.decode("ascii", "replace"), root)), inner
        bucket, _, key = location.partition(b"/")
        return self._storage(Address(scheme.decode("ascii", "replace"), bucket)), key

    def _storage(self, address: Address) -> Storage:
        storage = self._storages.get(address)
        if storage is None:
            storage = self._storages[address] = open_storage(address, follow_symlinks=self._follow)
            if len(self._storages) > _MAX_OPEN_STORAGES:
                self._storages.popitem(last=False)
        self._storages.move_to_end(address)
        return storage
