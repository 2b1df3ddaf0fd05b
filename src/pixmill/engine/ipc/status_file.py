"""The file that holds the status pages of all workers, so that after the death of a run the next one knows what was at work.

The pages are mapped into memory: writing to them costs no system call, and the kernel keeps what was written however the
processes end. It does not survive the machine, and need not: ``boot`` tells whether the machine was restarted.

The file consists of places of 64 KiB, a multiple of every page size. The first one is the header:

    magic | number of the run | whether it was told to stop | when the coordinator was last active (monotonic) | boot |
    since when it has been waiting for a store (monotonic, 0: it has not)

Each other place belongs to one worker at a time: its page (``StatusSlot``), then a table from the number of a request to its task,
which only the coordinator writes.
"""

import mmap
import os
import struct
from collections.abc import Callable
from contextlib import suppress

import msgspec

from pixmill.core.operating_system import allocate
from pixmill.engine.ipc.status_slot import read_begun, write_begun
from pixmill.engine.task import Attempt, BegunTask

_PLACE = 65_536
_TABLE = 16_384  # offset of the table in a place
_ENTRY = struct.Struct("=Q16sQ")  # number, id of the task, whether it runs alone
_ENTRIES = 1024  # twice the requests that a worker can have: see ``Prefetch``
_USED = _TABLE + _ENTRIES * _ENTRY.size
_MAGIC = int.from_bytes(b"pixmill1", "little")
_HEADER = struct.Struct("=QQQd64s")
_HELD_SINCE = struct.Struct("=d")  # after the header
_STOPPING, _ACTIVE, _HELD = 2, 3, _HEADER.size // 8  # words of the header
_HEADER_BYTES = _HEADER.size + _HELD_SINCE.size


class Place:
    """The place of one worker in the file: ``memory`` is its page, which the worker maps from ``fd`` at ``offset``."""

    def __init__(self, fd: int, offset: int, leave: Callable[[], None]) -> None:
        """Map the place. ``leave`` gives it to the next worker. ``OSError`` if the file system cannot map files or is full."""
        self.fd = fd
        self.offset = offset
        self._leave = leave
        self._last_done = 0
        allocate(fd, offset, _USED)  # a write to a page without a block would be fatal on a full disk
        self.memory = mmap.mmap(fd, _USED, offset=offset)
        self._clear()

    def assign(self, number: int, attempt: Attempt) -> None:
        """Record that the request ``number`` is ``attempt``."""
        entry = _TABLE + number % _ENTRIES * _ENTRY.size
        _ENTRY.pack_into(self.memory, entry, number, attempt.task.id, attempt.exclusive and attempt.deaths > 0)

    def begin(self, number: int, attempt: Attempt, now: float) -> None:
        """Record that this process itself begins the request ``number``, which is ``attempt``."""
        self.assign(number, attempt)
        write_begun(self.memory, number, now)

    def end(self, number: int, *, has_failed: bool) -> None:
        """Record that the request ``number`` is no longer at work, now that the coordinator has its result.

        The last one that did not fail is kept until the next: its result is not in the ledger yet, and may be what kills the run.
        """
        self.forget(self._last_done)
        self._last_done = 0 if has_failed else number
        if has_failed:
            self.forget(number)

    def forget(self, number: int) -> None:
        """Record that the request ``number`` is not at work: it was cancelled before it began."""
        offset = _TABLE + number % _ENTRIES * _ENTRY.size
        if _ENTRY.unpack_from(self.memory, offset)[0] == number:  # not that of a later request, which may have overtaken it
            _ENTRY.pack_into(self.memory, offset, 0, b"", 0)

    def close(self) -> None:
        """Clear the page, unmap it and leave the place; the worker is dead."""
        self._clear()
        self.memory.close()
        self._leave()

    def _clear(self) -> None:
        self.memory[:_USED] = bytes(_USED)


class StatusFile:
    """The file of one run. ``publish`` gives it its name, in place of that of the last run; ``remove`` deletes it."""

    def __init__(self, fd: int, *, boot: str, publish: Callable[[], None], remove: Callable[[], None]) -> None:
        """Map the header of the open, empty file ``fd``, which is closed with this object. ``OSError`` if that is impossible.

        On its file system, a write to a page that has its blocks must need no further space: see ``allocates_on_write``.
        """
        self._fd = fd
        self._boot = boot
        self._publish = publish
        self._remove = remove
        self._free: list[int] = []
        self._places = 1
        allocate(fd, 0, _PLACE)
        self._header = mmap.mmap(fd, mmap.PAGESIZE)
        self._words = memoryview(self._header)[:_HEADER_BYTES].cast("Q")
        self._seconds = memoryview(self._header)[:_HEADER_BYTES].cast("d")

    def open_place(self) -> Place | None:
        """Return a place for a new worker; ``None`` if the disk is full: then it is not known what that worker has begun."""
        index = self._free.pop() if self._free else self._places
        self._places = max(self._places, index + 1)
        try:
            return Place(self._fd, index * _PLACE, lambda: self._free.append(index))
        except OSError:
            self._free.append(index)
            return None

    def begin_run(self, number: int, now: float) -> None:
        """Start to speak for the run ``number``. The ledger has dealt with the last one by now, and no attempt has started."""
        _HEADER.pack_into(self._header, 0, _MAGIC, number, self._words[_STOPPING], now, self._boot.encode())
        with suppress(OSError):
            self._publish()

    def set_active(self, now: float) -> None:
        """Record that the coordinator is alive at ``now``, by the monotonic clock."""
        self._seconds[_ACTIVE] = now

    def set_held(self, since: float) -> None:
        """Record that work has been waiting for a store since ``since``, by the monotonic clock; 0 that it goes on."""
        self._seconds[_HELD] = since

    def set_stopping(self) -> None:
        """Record that the run was told to stop. May be called from a signal handler."""
        if self._fd >= 0:
            self._words[_STOPPING] = 1

    def end_run(self) -> None:
        """Remove the file: the run has ended in good order."""
        with suppress(OSError):
            self._remove()

    def close(self) -> None:
        """Release the file, whose places are closed; a second call does nothing."""
        fd, self._fd = self._fd, -1  # first, since a signal may call ``set_stopping`` at any moment
        if fd >= 0:
            self._words.release()
            self._seconds.release()
            self._header.close()
            with suppress(OSError):  # the pages are memory of the system: closing loses none
                os.close(fd)


def held_for(content: bytes, *, elapsed: float) -> float:
    """Return the seconds for which the run of the status file ``content`` has been waiting for a store; ``elapsed`` is now."""
    if len(content) < _HEADER_BYTES or _HEADER.unpack_from(content)[0] != _MAGIC:
        return 0.0
    (since,) = _HELD_SINCE.unpack_from(content, _HEADER.size)
    return max(0.0, elapsed - since) if since else 0.0


class DeadRun(msgspec.Struct, frozen=True):
    """What a status file says about its run: the ``number``, whether it ``was_stopping``, its ``boot``, and what had begun."""

    number: int
    was_stopping: bool
    boot: str
    begun: tuple[BegunTask, ...]


def read_status_file(content: bytes, *, elapsed: float, now: float) -> DeadRun | None:
    """Return what the ``content`` of a status file says; ``None`` if it is not one.

    ``elapsed`` is the monotonic clock, ``now`` the seconds since the epoch: both of this moment.
    """
    if len(content) < _HEADER.size:
        return None
    magic, number, is_stopping, active, boot = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        return None
    begun = []
    for offset in range(_PLACE, len(content) - _USED + 1, _PLACE):
        for current, began in read_begun(content, offset):
            number_of_entry, identity, alone = _ENTRY.unpack_from(content, offset + _TABLE + current % _ENTRIES * _ENTRY.size)
            if number_of_entry == current:
                started_at = now - max(0.0, elapsed - began)
                begun.append(BegunTask(id=identity, started_at=started_at, seconds=max(0.0, active - began), alone=bool(alone)))
    return DeadRun(number, bool(is_stopping), boot.rstrip(b"\0").decode(errors="replace"), tuple(begun))
