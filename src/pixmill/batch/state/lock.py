"""One run at a time on one output: a lock that dies with its owner."""

import errno
import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from pixmill.batch.state import state_folder
from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.core.validation import DECODE_ERRORS

_PAUSES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # seconds
CODES = {errno.ENOSPC: "disk-full", errno.EDQUOT: "disk-full", errno.EROFS: "read-only"}


class Owner(msgspec.Struct, frozen=True):
    """Who holds a lock, for the message to whoever else wants it."""

    pid: int
    host: str
    since: str


class Lock:
    """An advisory lock on a file. The kernel lets go of it when the owner dies, by whatever death, so none is ever stale.

    ``shared`` lets several shards of one output run side by side, and keeps a whole run out.
    """

    def __init__(self, path: Path, output: str = "", *, shared: bool = False) -> None:
        """Name the file, made when the lock is taken and left behind, and the ``output`` that it is for."""
        self._output = output or printable(path.parent.parent)
        self._path = path
        self._mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._file = -1

    def __enter__(self) -> Self:
        """Take the lock; ``RunError`` naming its owner when another run has it, or saying why it cannot be had."""
        try:
            self._take()
        except BlockingIOError:
            other = self._owner()
            self._let_go()
            raise RunError(
                f"another run is writing to {self._output}{other}",
                code="locked",
                hint="wait for it, or stop it; two runs never share an output",
            ) from None
        except OSError as error:
            self._let_go()
            message = f"the lock {printable(self._path)} cannot be used: {error.strerror}"
            raise RunError(message, code=CODES.get(error.errno or 0, "not-writable")) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go."""
        self._let_go()

    def _take(self) -> None:
        self._file = state_folder.open_file(self._path.parent, self._path.name, os.O_RDWR | os.O_CREAT)
        self._lock()
        if self._mode == fcntl.LOCK_EX:
            owner = Owner(os.getpid(), socket.gethostname(), time.strftime("%Y-%m-%d %H:%M:%S"))
            with suppress(OSError):  # the lock holds without the name; a full disk has its own message
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, msgspec.json.encode(owner), 0)

    def _lock(self) -> None:
        """Take it; whoever only asks whether a run has it, holds it for an instant, which is waited for."""
        for pause in _PAUSES:
            try:
                return fcntl.flock(self._file, self._mode | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(pause)
        return fcntl.flock(self._file, self._mode | fcntl.LOCK_NB)

    def _let_go(self) -> None:
        """Close the file, which ends the lock whatever the disk says: there is nothing in it to lose."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _owner(self) -> str:
        try:
            owner = msgspec.json.decode(os.pread(self._file, 4096, 0), type=Owner)
        except DECODE_ERRORS:
            return ""
        return f" (process {owner.pid} on {owner.host}, since {owner.since})"
