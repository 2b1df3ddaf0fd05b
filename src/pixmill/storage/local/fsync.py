"""fsync of a file, and of the directory that contains its name: one sync covers all names in the directory at that time."""

import errno
import os
import threading
from collections.abc import Callable

from pixmill.core import operating_system
from pixmill.storage.local.directory_descriptors import Directory

#: what file systems answer that cannot sync at all, or no folders (SMB, some of FUSE)
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_UNSUPPORTED_FOR_FOLDERS = _UNSUPPORTED | {errno.EBADF, errno.EACCES, errno.EPERM}


class FsyncError(OSError):
    """An fsync failed. The kernel may have dropped the data and marked it clean, so a second fsync proves nothing."""


def sync(descriptor: int) -> None:
    """Make the written data survive a power failure; ``FsyncError`` if that fails, unless the file system has no such call."""
    try:
        operating_system.sync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise FsyncError(error.errno, error.strerror) from error


def sync_directory(descriptor: int) -> None:
    """Make the names in a folder survive a power failure, as ``sync`` does for a file."""
    try:
        sync(descriptor)
    except FsyncError as error:
        if error.errno not in _UNSUPPORTED_FOR_FOLDERS:
            raise


def sync_folder(path: bytes) -> None:
    """Make the names in the folder at ``path`` survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_directory(descriptor)
    finally:
        os.close(descriptor)


def can_sync(path: bytes, *, is_folder: bool) -> bool:
    """Tell whether the file system can sync the file or folder at ``path``; another error is reported later."""
    descriptor = os.open(path, (os.O_RDONLY | os.O_DIRECTORY if is_folder else os.O_WRONLY) | os.O_CLOEXEC)
    try:
        operating_system.sync(descriptor)
    except OSError as error:
        return error.errno not in (_UNSUPPORTED_FOR_FOLDERS if is_folder else _UNSUPPORTED)
    finally:
        os.close(descriptor)
    return True


class DirectorySync:
    """One fsync of a folder, shared by all new names in it. Threads may share it."""

    def __init__(self, directory: Directory, close: Callable[[Directory], None]) -> None:
        """Call ``close`` with ``directory`` before the sync begins: names that come later need another one."""
        self._directory = directory
        self._close = close
        self._error: OSError | None = None
        self._is_done = False
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the sync is done; the first caller does it. If it fails, every caller gets the ``OSError``."""
        with self._lock:
            if not self._is_done:
                self._close(self._directory)
                try:
                    sync_directory(self._directory.descriptor)
                except OSError as error:
                    self._error = error
                self._is_done = True
        if self._error is not None:
            raise self._error


class PendingDirectorySyncs:
    """The folders with new names that a power failure could lose."""

    def __init__(self) -> None:
        """Start with none."""
        self._pending: dict[tuple[int, int], DirectorySync] = {}

    def of(self, directory: Directory) -> DirectorySync:
        """Return the sync that will cover a name just created in ``directory``."""
        return self._pending.setdefault(directory.identity, DirectorySync(directory, self._close))

    def _close(self, directory: Directory) -> None:
        self._pending.pop(directory.identity, None)
