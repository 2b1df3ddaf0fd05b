"""Take turns at a host: no more requests at a time, and a second, than it should bear, from all processes together."""

import fcntl
import os
import random
import stat
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import blake2b

_HOSTS = 1 << 16  # that are told apart; two that share a number share their turns
_SLOTS = 1 << 10  # bytes of the lock file for each host
_TIME = struct.Struct("d")
_PAUSE = 0.02  # seconds between two looks for a free place, on average
_FAR = 60.0  # seconds; a time that lies further ahead is left over from before this machine was started


class HostLimiter:
    """Places at hosts, as locks on bytes of one file: the kernel gives back those of a process that dies.

    ``most`` requests at a time; ``rate`` a second, 0 for any. The file belongs to this user, in the folder for temporary
    files. Where it cannot be made, only this process's own requests are counted: it makes one at a time.
    """

    def __init__(
        self,
        *,
        most: int,
        rate: float = 0.0,
        folder: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        """Open the files."""
        self._most = min(most, _SLOTS)
        self._interval = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._rng = chance or random.Random()  # noqa: S311  # it spreads requests, it keeps no secret
        self._locks, self._times = (_file(folder, name) for name in ("hosts.locks", "hosts.times"))

    @contextmanager
    def slot(self, host: str) -> Iterator[None]:
        """Wait for a place at ``host``, and hold it."""
        number = int.from_bytes(blake2b(host.encode(), digest_size=8).digest(), "big") % _HOSTS
        place = self._placed(number)
        try:
            self._wait(number)
            yield
        finally:
            if place is not None:
                fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, place)

    def _placed(self, number: int) -> int | None:
        """Return the byte that was locked."""
        if self._locks < 0:
            return None
        while True:
            for place in range(number * _SLOTS, number * _SLOTS + self._most):
                with suppress(BlockingIOError, PermissionError):  # what a lock that another holds is called differs by system
                    fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                    return place
            self._sleep(self._rng.uniform(0, 2 * _PAUSE))

    def _wait(self, number: int) -> None:
        """Wait until it is time for one more request; the next one's time is written down before."""
        if not self._interval or self._times < 0:
            return
        at = number * _TIME.size
        fcntl.lockf(self._times, fcntl.LOCK_EX, _TIME.size, at)
        try:
            now = self._clock()
            (told,) = _TIME.unpack(os.pread(self._times, _TIME.size, at).ljust(_TIME.size, b"\0"))
            opens = max(told, now) if told < now + max(_FAR, _FAR * self._interval) else now
            os.pwrite(self._times, _TIME.pack(opens + self._interval), at)
        finally:
            fcntl.lockf(self._times, fcntl.LOCK_UN, _TIME.size, at)
        if opens > now:
            self._sleep(opens - now)


def _own_folder() -> str:
    return os.path.join(tempfile.gettempdir(), f"pixmill-{os.getuid()}")


def _file(named: str | None, name: str) -> int:
    """Return a descriptor of the file, -1 where it cannot be ours alone."""
    try:
        folder = named or _own_folder()
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            return -1
        return _opened(os.path.join(folder, name))
    except OSError:
        return -1


@cache
def _opened(path: str) -> int:
    """Return this process's one descriptor of a file. It stays open: closing it would give up all the process has locked there."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
