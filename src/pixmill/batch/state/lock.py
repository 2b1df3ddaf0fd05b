"""The lock that allows one run at a time on an output; it is released when its owner dies."""

import errno
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from pixmill.batch.state import state_folder
from pixmill.batch.state.owner_files import NO_LOCKS, OwnedError, Owner, OwnerFile
from pixmill.core import operating_system
from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.core.validation import DECODE_ERRORS

_RETRY_DELAYS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # seconds
CODES = {errno.ENOSPC: "disk-full", errno.EDQUOT: "disk-full", errno.EROFS: "read-only"}


class Lock:
    """An advisory lock on a file. The kernel releases it when the owner dies, however it dies, so it is never stale.

    With ``shared``, several shards of an output can run at the same time, but not together with an unsplit run. On a file system
    without such locks, files with a heartbeat stand in for it: see ``owner_files``.
    """

    def __init__(self, path: Path, output: str = "", *, shared: bool = False, recipe: str = "") -> None:
        """Set the file, which is created when the lock is taken and not removed, and the ``output`` it protects, for messages.

        ``recipe`` is the owner's, which other shards compare with theirs.
        """
        self._recipe = recipe
        self._output = output or printable(path.parent.parent)
        self._path = path
        self._is_shared = shared
        self._file = -1
        self._owner_file: OwnerFile | None = None

    def __enter__(self) -> Self:
        """Take the lock; ``RunError`` naming its owner when another run holds it, or the reason why it cannot be taken."""
        try:
            self._acquire()
        except BlockingIOError as error:
            owner = self._owner(error)
            self._release()
            raise RunError(
                f"another run is writing to {self._output}{owner}",
                code="locked",
                hint="wait for it, or stop it; two runs never share an output",
            ) from None
        except OSError as error:
            self._release()
            message = f"the lock {printable(self._path)} cannot be used: {error.strerror}"
            raise RunError(message, code=CODES.get(error.errno or 0, "not-writable")) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Release the lock."""
        self._release()

    def _acquire(self) -> None:
        self._file = state_folder.open_file(self._path.parent, self._path.name, os.O_RDWR | os.O_CREAT)
        try:
            self._lock()
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            self._owner_file = OwnerFile(self._path.parent, is_shared=self._is_shared)
        if not self._is_shared:
            with suppress(OSError):  # the lock works without the owner's name; a full disk is reported elsewhere
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, msgspec.json.encode(Owner.of_this_process(self._recipe)), 0)

    def _lock(self) -> None:
        """Take the lock, with retries: a process that only checks whether the output is locked holds it for an instant."""
        for delay in _RETRY_DELAYS:
            try:
                return operating_system.lock(self._file, shared=self._is_shared)
            except BlockingIOError:
                time.sleep(delay)
        return operating_system.lock(self._file, shared=self._is_shared)

    def _release(self) -> None:
        """Close the file, which releases the lock even if the disk reports an error; its content does not matter."""
        if self._owner_file:
            self._owner_file.close()
            self._owner_file = None
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _owner(self, error: BlockingIOError) -> str:
        """Return who holds the lock, as it is written in the file, or as an owner file says."""
        if isinstance(error, OwnedError):
            return f" ({error.owner})"
        try:
            return f" ({msgspec.json.decode(os.pread(self._file, 4096, 0), type=Owner)})"
        except DECODE_ERRORS:
            return ""


def last_owner(folder: Path, name: str) -> Owner | None:
    """Return the last owner of the exclusive lock called ``name`` in the state folder ``folder``; ``None`` if that is not known."""
    try:
        return msgspec.json.decode(state_folder.read(folder, name), type=Owner)
    except (OSError, RunError, *DECODE_ERRORS):
        return None


def has_locks(path: Path) -> bool:
    """Tell whether the file system can lock the file at ``path``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        operating_system.lock(descriptor, shared=True)
    except OSError as error:
        return error.errno not in NO_LOCKS
    finally:
        os.close(descriptor)
    return True
