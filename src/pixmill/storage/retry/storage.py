"""A decorator that retries the calls of any storage."""

from collections.abc import Callable, Container, Iterator
from typing import TypeVar

from pixmill.core.errors import ImageError, ReadError
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, FileVersion, Listing
from pixmill.storage.open import open_storage
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.policy import UNANSWERED, RetryPolicy
from pixmill.storage.storage import FREE_NAME, FolderPart, ListingPolicy, Replacing, Storage, no_op

T = TypeVar("T")

_PROBE = b".pixmill-probe"


def open_with_retries(
    address: Address, *, tag: str = "0", follow_symlinks: bool = False, policy: RetryPolicy | None = None
) -> Storage:
    """Open ``address`` as ``open_storage`` does, with retries unless it is a local folder.

    Errors of a disk are retried by the engine. A ``OutagePolicy`` applies to listings, too.
    """
    storage = open_storage(address, tag=tag, follow_symlinks=follow_symlinks)
    if address.local:
        return storage
    if isinstance(policy, OutagePolicy):
        storage.retry_listings(policy)
    return RetryingStorage(storage, policy or RetryPolicy())


class RetryingStorage(Storage):
    """Retries each call of ``storage`` by ``policy`` while it fails with a ``retryable`` error.

    A listing is not retried: yielded entries cannot be withdrawn, and a storage that lists by requests retries each of them
    itself.

    A request that gets no whole answer may be the fault of the store or of its object, which may be damaged there. It is the
    object's only if the store answers ``PROBES`` other requests in a row, and then this one still not: its error then has no code
    of a sick store.
    """

    PROBES = 5

    def __init__(self, storage: Storage, policy: RetryPolicy) -> None:
        """Wrap ``storage``."""
        self._storage = storage
        self._policy = policy

    def _call(self, request: Callable[[], T]) -> T:
        try:
            return self._policy.call(request)
        except ImageError as error:
            if error.code != UNANSWERED or not self._is_answering():
                raise
        try:
            return request()
        except ImageError as error:
            if error.code != UNANSWERED:
                raise
            raise type(error)(error.message, hint=error.hint, retryable=True) from None

    def _is_answering(self) -> bool:
        """Tell whether the store answers several requests in a row, for an object that need not exist."""
        try:
            for _ in range(self.PROBES):
                self._storage.stat(_PROBE)
        except ImageError as error:
            return not error.retryable
        return True

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry at ``path``, or ``None``."""
        return self._call(lambda: self._storage.stat(path))

    def version_of(self, path: bytes) -> FileVersion | None:
        """Return the version of what is at ``path``, or ``None``."""
        return self._call(lambda: self._storage.version_of(path))

    def modified_ns(self, path: bytes) -> int | None:
        """Return when the file was last modified."""
        return self._call(lambda: self._storage.modified_ns(path))

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content."""
        return self._call(lambda: self._storage.read(path, limit=limit))

    def read_version(self, entry: Entry, *, limit: int) -> bytes:
        """Return the content of ``entry``."""
        return self._call(lambda: self._storage.read_version(entry, limit=limit))

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes."""
        return self._call(lambda: self._storage.head(path, size))

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> FileVersion:
        """Write ``data`` to ``path``, from the start with each attempt."""

        def write() -> FileVersion:
            return self._storage.write(path, data, durable=durable, mtime_ns=mtime_ns, on_sync=on_sync, replacing=replacing)

        return self._call(write)

    def is_occupied(self, path: bytes) -> bool:
        """Tell whether anything exists at ``path``."""
        return self._call(lambda: self._storage.is_occupied(path))

    def file_of(self, path: bytes) -> bytes | None:
        """Return the local file that contains ``path``."""
        return self._storage.file_of(path)

    def delete(self, path: bytes) -> None:
        """Remove ``path``."""
        self._call(lambda: self._storage.delete(path))

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the entries below ``under``."""
        return self._storage.list(under, descend=descend, on_error=on_error, on_link=on_link)

    def list_parts(
        self,
        group: Callable[[bytes], bytes],
        *,
        folders_first: bool = True,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the entries, a large directory in parts."""
        return self._storage.list_parts(group, folders_first=folders_first, descend=descend, on_error=on_error, on_link=on_link)

    def list_from(self, path: bytes) -> FolderPart | None:
        """Return the entries from ``path`` on, if the storage can list them."""
        return self._storage.list_from(path)

    def list_wanted(
        self,
        under: bytes,
        wants: Callable[[bytes], bool],
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the entries whose names it ``wants``."""
        return self._storage.list_wanted(under, wants, descend=descend, on_error=on_error, on_link=on_link)

    def between(self, first: str, last: str) -> "RetryingStorage | None":
        """Return the same storage with only some of its keys, if it can list them."""
        limited = self._storage.between(first, last)
        return None if limited is None else RetryingStorage(limited, self._policy)

    def retry_listings(self, policy: ListingPolicy) -> None:
        """Retry the requests of listings by ``policy``."""
        self._storage.retry_listings(policy)

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of ``path`` if it has one."""
        return self._storage.local_path(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:
        """Remove the temporaries of dead writers."""
        return self._call(lambda: self._storage.remove_temporaries(tags))
