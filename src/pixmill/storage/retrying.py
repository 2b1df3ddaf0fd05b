"""Try again what may succeed later: a decorator for any storage."""

from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from pixmill.core.errors import PixmillError, ReadError
from pixmill.storage.storage import Entry, Listing, Storage, unheard

T = TypeVar("T")


class Retrying(Storage):
    """``storage``, each call of it tried up to ``attempts`` times while its error says that it is ``retryable``.

    ``pause`` gives the seconds to wait after the n-th try (from 1), ``sleep`` waits. A listing is not tried again: what was
    yielded of it cannot be taken back, and its errors have their own way.
    """

    def __init__(self, storage: Storage, *, attempts: int, pause: Callable[[int], float], sleep: Callable[[float], None]) -> None:
        """Wrap ``storage``."""
        self._storage = storage
        self._attempts = attempts
        self._pause = pause
        self._sleep = sleep

    def stat(self, path: bytes) -> Entry | None:
        """Return what is there, or ``None``."""
        return self._tried(lambda: self._storage.stat(path))

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content."""
        return self._tried(lambda: self._storage.read(path, limit=limit))

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes."""
        return self._tried(lambda: self._storage.head(path, size))

    def write(
        self, path: bytes, data: bytes, *, durable: bool, mtime_ns: int | None = None, syncing: Callable[[], None] = unheard
    ) -> None:
        """Put ``data`` under ``path``: from the start with each try."""
        self._tried(lambda: self._storage.write(path, data, durable=durable, mtime_ns=mtime_ns, syncing=syncing))

    def delete(self, path: bytes) -> None:
        """Remove ``path``."""
        self._tried(lambda: self._storage.delete(path))

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the entries below ``under``."""
        return self._storage.list(under, descend=descend, on_error=on_error)

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of ``path`` where it has one."""
        return self._storage.local_path(path)

    def sweep(self, tags: Collection[str] | None = None) -> int:
        """Remove what dead writers left."""
        return self._tried(lambda: self._storage.sweep(tags))

    def _tried(self, call: Callable[[], T]) -> T:
        for attempt in range(1, self._attempts):
            try:
                return call()
            except PixmillError as error:
                if not error.retryable:
                    raise
            self._sleep(self._pause(attempt))
        return call()
