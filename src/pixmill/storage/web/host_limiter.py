"""Limit the requests to a host, concurrent and per second, across all processes of a user."""

import os
import random
import stat
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b

from pixmill.core.operating_system import lock_bytes, unlock_bytes

_HOST_NUMBERS = 1 << 16  # hosts with the same number share their limits
_SLOTS_PER_HOST = 1 << 10  # bytes of the lock file per host
_TIME = struct.Struct("d")
_POLL_INTERVAL = 0.02  # seconds between two searches for a free slot, on average
_occupied: set[tuple[int, int]] = set()  # slots of this process: the kernel knows no threads
_occupied_lock = threading.Lock()
_turns: dict[int, threading.Lock] = {}  # of the threads that wait for the rate of a host
_MAX_AHEAD = 60.0  # seconds; a time further in the future was recorded before this machine was started


class HostLimiter:
    """Request slots for hosts, as locks on bytes of one file: the kernel releases those of a process that dies.

    At most ``max_concurrency`` requests at a time and ``rate`` per second, 0 for no limit. The file belongs to this user and is in
    the folder for temporary files. If it cannot be created, no limit is shared between processes: each sends one request at a time.
    It may be used by several threads.
    """

    def __init__(
        self,
        *,
        max_concurrency: int,
        rate: float = 0.0,
        folder: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Open the files."""
        self._max_concurrency = min(max_concurrency, _SLOTS_PER_HOST)
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311  # it spreads requests, it keeps no secret
        self._locks, self._times = (_file(folder, name) for name in ("hosts.locks", "hosts.times"))

    @contextmanager
    def slot(self, host: str) -> Iterator[None]:
        """Wait for a free slot of ``host``, and occupy it."""
        number = int.from_bytes(blake2b(host.encode(), digest_size=8).digest(), "big") % _HOST_NUMBERS
        offset = self._lock_slot(number)
        try:
            self._wait(number)
            yield
        finally:
            self._unlock_slot(offset)

    def _lock_slot(self, number: int) -> int:
        """Return the offset of the locked byte; without a lock file it is only this process's."""
        first = number * _SLOTS_PER_HOST
        while True:
            for offset in range(first, first + (self._max_concurrency if self._locks >= 0 else 1)):
                if self._try_lock(offset):
                    return offset
            self._sleep(self._rng.uniform(0, 2 * _POLL_INTERVAL))

    def _try_lock(self, offset: int) -> bool:
        with _occupied_lock:
            if (self._locks, offset) in _occupied:
                return False
            if self._locks >= 0:
                try:
                    lock_bytes(self._locks, 1, offset)
                except (BlockingIOError, PermissionError):  # the error for a byte locked by others differs by system
                    return False
            _occupied.add((self._locks, offset))
            return True

    def _unlock_slot(self, offset: int) -> None:
        with _occupied_lock:
            _occupied.discard((self._locks, offset))
            if self._locks >= 0:
                unlock_bytes(self._locks, 1, offset)

    def _wait(self, number: int) -> None:
        """Wait until one more request may start; the time of the next one is recorded before.

        One thread of a process at a time, so that times are not recorded far ahead.
        """
        if self._interval and self._times >= 0:
            with _turns.setdefault(number, threading.Lock()):
                if (seconds := self._seconds_to_wait(number)) > 0:
                    self._sleep(seconds)

    def _seconds_to_wait(self, number: int) -> float:
        offset = number * _TIME.size
        lock_bytes(self._times, _TIME.size, offset, wait=True)
        try:
            now = self._clock()
            (recorded,) = _TIME.unpack(os.pread(self._times, _TIME.size, offset).ljust(_TIME.size, b"\0"))
            start = max(recorded, now) if recorded < now + max(_MAX_AHEAD, _MAX_AHEAD * self._interval) else now
            os.pwrite(self._times, _TIME.pack(start + self._interval), offset)
        finally:
            unlock_bytes(self._times, _TIME.size, offset)
        return start - now


def _own_folder() -> str:
    return os.path.join(tempfile.gettempdir(), f"pixmill-{os.getuid()}")


def _file(folder: str | None, name: str) -> int:
    """Return a descriptor of the file; -1 if its folder is not exclusively ours, or the file cannot be opened."""
    try:
        folder = folder or _own_folder()
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        status = os.lstat(folder)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
            return -1
        return _opened(os.path.join(folder, name))
    except OSError:
        return -1


@cache
def _opened(path: str) -> int:
    """Return this process's only descriptor of a file. It stays open: closing it would release all locks of the process on it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
