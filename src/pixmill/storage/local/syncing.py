"""fsync: of a file, and of the directory that holds its name, once for every name that is in it by then."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterable


class NotSynced(OSError):
    """An fsync failed. The kernel may have dropped the data and marked it clean, so asking again proves nothing."""


def sync(descriptor: int) -> None:
    """Have what was written survive a power cut."""
    try:
        if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone leaves the data in the drive's own cache
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    except OSError as error:
        raise NotSynced(error.errno, error.strerror) from error


def settle(directories: Iterable[bytes]) -> None:
    """Make the names in these directories survive a power cut."""
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


class Flush:
    """One fsync of a directory, for all whose names it is to keep. Threads may share it."""

    def __init__(self, directory: bytes, close: Callable[[bytes], None]) -> None:
        """``close`` is told of ``directory`` before it begins: from then on new names need another one."""
        self._directory = directory
        self._close = close
        self._error: OSError | None = None
        self._is_over = False
        self._turn = threading.Lock()

    def wait(self) -> None:
        """Return when it is over, having done it if nobody has; the ``OSError`` of a failed one is everybody's."""
        with self._turn:
            if not self._is_over:
                self._close(self._directory)
                try:
                    settle([self._directory])
                except OSError as error:
                    self._error = error
                self._is_over = True
        if self._error is not None:
            raise self._error


class Flushes:
    """The directories with names in them that a power cut could take."""

    def __init__(self) -> None:
        """Begin with none."""
        self._due: dict[bytes, Flush] = {}

    def of(self, directory: bytes) -> Flush:
        """Return the flush that makes a name safe that has just come into ``directory``."""
        return self._due.setdefault(directory, Flush(directory, self._close))

    def _close(self, directory: bytes) -> None:
        self._due.pop(directory, None)
