"""fsync: of a file, and of the directory that holds its name, once for every name that is in it by then."""

import fcntl
import os
import threading
from collections.abc import Callable

from pixmill.storage.local.directory_descriptors import Directory


class FsyncError(OSError):
    """An fsync failed. The kernel may have dropped the data and marked it clean, so asking again proves nothing."""


def sync(descriptor: int) -> None:
    """Have what was written survive a power cut."""
    try:
        if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone leaves the data in the drive's own cache
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    except OSError as error:
        raise FsyncError(error.errno, error.strerror) from error


def sync_folder(path: bytes) -> None:
    """Make the names in the folder at ``path`` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


class DirectorySync:
    """One fsync of a folder, for all whose names it is to keep. Threads may share it."""

    def __init__(self, directory: Directory, close: Callable[[Directory], None]) -> None:
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
                    sync(self._directory.descriptor)
                except OSError as error:
                    self._error = error
                self._is_over = True
        if self._error is not None:
            raise self._error


class PendingDirectorySyncs:
    """The folders with names in them that a power cut could take."""

    def __init__(self) -> None:
        """Begin with none."""
        self._due: dict[tuple[int, int], DirectorySync] = {}

    def of(self, directory: Directory) -> DirectorySync:
        """Return the flush that makes a name safe that has just come into ``directory``."""
        return self._due.setdefault(directory.identity, DirectorySync(directory, self._close))

    def _close(self, directory: Directory) -> None:
        self._due.pop(directory.identity, None)
