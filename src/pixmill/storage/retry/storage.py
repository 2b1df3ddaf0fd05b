"""Try again what may succeed later: a decorator for any storage."""

from collections.abc import Callable, Container, Iterator

from pixmill.core.errors import ReadError
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import RetryPolicy
from pixmill.storage.storage import FREE_NAME, Replacing, Storage, no_op


def open_with_retries(
    address: Address, *, tag: str = "0", follow_symlinks: bool = False, patience: RetryPolicy | None = None
) -> Storage:
    """Open ``address`` as ``open_storage`` does, with patience where it is not a folder of this machine.

    What a disk says is for the engine to try again.
    """
    storage = open_storage(address, tag=tag, follow_symlinks=follow_symlinks)
    return storage if address.local else RetryingStorage(storage, patience or RetryPolicy())


class RetryingStorage(Storage):
    """``storage``, each call of it repeated with ``patience`` while its error says that it is ``retryable``.

    A listing is not repeated: what was yielded of it cannot be taken back, and a storage that lists by requests has patience
    with each of them.
    """

    def __init__(self, storage: Storage, patience: RetryPolicy) -> None:
        """Wrap ``storage``."""
        self._storage = storage
        self._policy = patience

    def stat(self, path: bytes) -> Entry | None:
        """Return what is there, or ``None``."""
        return self._policy.call(lambda: self._storage.stat(path))

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content."""
        return self._policy.call(lambda: self._storage.read(path, limit=limit))

    def read_version(self, entry: Entry, *, limit: int) -> bytes:
        """Return the content of ``entry``."""
        return self._policy.call(lambda: self._storage.read_version(entry, limit=limit))

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes."""
        return self._policy.call(lambda: self._storage.head(path, size))

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> None:
        """Put ``data`` under ``path``: from the start with each try."""

        def write() -> None:
            self._storage.write(path, data, durable=durable, mtime_ns=mtime_ns, on_sync=on_sync, replacing=replacing)

        self._policy.call(write)

    def is_occupied(self, path: bytes) -> bool:
        """Tell whether anything is at ``path``."""
        return self._policy.call(lambda: self._storage.is_occupied(path))

    def file_of(self, path: bytes) -> bytes | None:
        """Return the file of this machine that holds the content of ``path``."""
        return self._storage.file_of(path)

    def delete(self, path: bytes) -> None:
        """Remove ``path``."""
        self._policy.call(lambda: self._storage.delete(path))

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

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of ``path`` where it has one."""
        return self._storage.local_path(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:
        """Remove what dead writers left."""
        return self._policy.call(lambda: self._storage.remove_temporaries(tags))
