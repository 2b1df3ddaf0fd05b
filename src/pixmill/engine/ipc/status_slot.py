"""A page of memory that a worker shares with the coordinator: its current task and stage, readable even after it has died.

Writing to it costs no system call. The page also holds the number up to which requests are cancelled, which the coordinator
writes. It can be part of a file that outlives the coordinator, too (``status_file``). A buffer in memory takes the worker's
standard output and error during one task: evidence after a crash, and a terminal that no C library can garble.

The page starts with eight words of 64 bits. Each is written atomically, so a reader never sees half a value:

    number of the current request | when it began (monotonic) | stage | number of stages | memory | memory at start |
    requests up to this number are cancelled | number of the request begun last

The names of the stages follow, and the numbers and times of the last requests that began.
"""

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple, Self

PAGE_SIZE = 4096
_OUTPUT_SIZE = 16_384
_SIZE = PAGE_SIZE + _OUTPUT_SIZE
_NUMBER, _BEGAN, _STAGE, _STAGES, _MEMORY, _MEMORY_AT_START, _CANCELLED, _LAST_STARTED = range(8)
_BEGUN = struct.Struct("=Qd")  # number of a request, when it began
_MAX_BEGUN = 64  # more than a worker computes before it commits
_BEGUN_OFFSET = PAGE_SIZE - _MAX_BEGUN * _BEGUN.size
_NAMES_OFFSET = 64
_NAME_SIZE = 32
_MAX_STAGES = (_BEGUN_OFFSET - _NAMES_OFFSET) // _NAME_SIZE


class CurrentTask(NamedTuple):
    """The request that the worker is working on (0 for none yet), when it began by the monotonic clock, and its stage."""

    number: int
    began: float
    stage: str


def redirect_output(fd: int) -> None:
    """Redirect this process' standard output and error to the output buffer of the status slot behind ``fd``."""
    os.dup2(fd, 1)
    os.dup2(fd, 2)


class StatusSlot:
    """The page of one worker: the coordinator creates it, the worker attaches to it."""

    def __init__(self, memory: mmap.mmap, page: mmap.mmap | None = None) -> None:
        """Wrap shared ``memory``, and the ``page`` of a file if it is not to be the first one of ``memory``."""
        self._memory = memory
        self._page = page or memory
        self._view = memoryview(self._page)
        self._words = self._view[:_NAMES_OFFSET].cast("Q")
        self._seconds = self._view[:_NAMES_OFFSET].cast("d")
        self._register_lock = threading.Lock()

    @classmethod
    def create(cls, page: mmap.mmap | None = None) -> tuple[Self, int]:
        """Return a new status slot and the file descriptor to pass to the worker; the caller must close the descriptor.

        ``page``: the page of a file, which stays open when the slot is closed.
        """
        fd = _anonymous_file()
        try:
            return cls.attach(fd, page), fd
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def attach(cls, fd: int, page: mmap.mmap | None = None) -> Self:
        """Return the status slot behind ``fd``, with its ``page`` if that is in a file."""
        return cls(mmap.mmap(fd, _SIZE), page)

    def begin(self, number: int, now: float) -> None:
        """Record that the request ``number`` begins."""
        self.begin_started(number, now)
        self.set_started(number)

    def begin_started(self, number: int, now: float) -> None:
        """Record that the worker begins to work on the request ``number``, which need not be the one that was started last."""
        self.set_current(number, now)
        write_begun(self._page, number, now)

    def set_started(self, number: int) -> None:
        """Record that the request ``number`` is the last one that was started."""
        self._words[_LAST_STARTED] = number

    def set_current(self, number: int, began: float) -> None:
        """Record that the worker is working on the request ``number``, which ``began`` then: perhaps not the one begun last."""
        self._words[_STAGE] = 0
        self._seconds[_BEGAN] = began
        self._words[_NUMBER] = number

    def is_cancelled(self, number: int) -> bool:
        """Return whether the coordinator cancelled the request ``number``.

        Call it after ``begin``: see ``WorkerHandle.collect_cancelled``.
        """
        return number <= self._words[_CANCELLED]

    def cancel_up_to(self, number: int) -> None:
        """Cancel every request up to ``number`` that has not begun."""
        self._words[_CANCELLED] = number

    def register_stage(self, name: str) -> int:
        """Assign an index to the stage ``name`` and return it; 0, the unnamed stage, if the page is full."""
        with self._register_lock:
            index = self._words[_STAGES] + 1
            if index >= _MAX_STAGES:
                return 0
            encoded = name.encode()[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0")
            self._page[_NAMES_OFFSET + index * _NAME_SIZE : _NAMES_OFFSET + (index + 1) * _NAME_SIZE] = encoded
            self._words[_STAGES] = index
            return index

    def set_stage(self, stage: int) -> None:
        """Record that the stage with the index ``stage`` begins."""
        self._words[_STAGE] = stage

    def current_task(self) -> CurrentTask:
        """Return the current request and stage of the worker."""
        index = self._words[_STAGE]
        raw = self._page[_NAMES_OFFSET + index * _NAME_SIZE : _NAMES_OFFSET + (index + 1) * _NAME_SIZE] if index else b""
        return CurrentTask(self._words[_NUMBER], self._seconds[_BEGAN], raw.rstrip(b"\0").decode(errors="replace"))

    @property
    def number(self) -> int:
        """The number of the request that the worker is working on, 0 for none yet."""
        return self._words[_NUMBER]

    @property
    def last_started(self) -> int:
        """The number of the request begun last, 0 for none yet."""
        return self._words[_LAST_STARTED]

    def record_memory(self, size: int) -> None:
        """Record the worker's resident memory in bytes; ``growth`` is measured from the first record."""
        if not self._words[_MEMORY_AT_START]:
            self._words[_MEMORY_AT_START] = size
        self._words[_MEMORY] = size

    @property
    def memory(self) -> int:
        """The worker's resident memory in bytes, as last recorded."""
        return self._words[_MEMORY]

    def growth(self) -> int:
        """Return by how many bytes the worker's memory has grown since it started."""
        return max(0, self._words[_MEMORY] - self._words[_MEMORY_AT_START])

    def output(self) -> str:
        """Return the worker's standard output and error during the request begun last, at most 16 KiB."""
        output = self._memory[PAGE_SIZE:_SIZE]
        return output.rstrip(b"\0").decode(errors="replace").strip()

    def clear_output(self) -> None:
        """Clear the output of the previous request. Reads a single byte if nothing was written."""
        if self._memory[PAGE_SIZE]:
            os.ftruncate(2, _SIZE)
            os.lseek(2, PAGE_SIZE, os.SEEK_SET)
            self._memory[PAGE_SIZE:_SIZE] = bytes(_OUTPUT_SIZE)

    def close(self) -> None:
        """Release the memory, without the page of a file."""
        for view in (self._words, self._seconds, self._view):
            view.release()
        self._memory.close()


def write_begun(page: mmap.mmap, number: int, began: float) -> None:
    """Record in ``page`` that the request ``number`` ``began`` then."""
    _BEGUN.pack_into(page, _BEGUN_OFFSET + number % _MAX_BEGUN * _BEGUN.size, number, began)


def read_begun(content: bytes, offset: int) -> Iterator[tuple[int, float]]:
    """Yield the last requests that began, and when, from the page at ``offset`` of the ``content`` of a file, in no order."""
    begun = content[offset + _BEGUN_OFFSET : offset + PAGE_SIZE]
    return ((number, began) for number, began in _BEGUN.iter_unpack(begun) if number)


def _anonymous_file() -> int:
    """Return a file without a name: in memory on Linux (/dev/shm may be limited to 64 MB in a container), else a temporary one."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("pixmill-status", os.MFD_CLOEXEC)
    else:
        import tempfile  # noqa: PLC0415  # it would delay the start of the fork server by 2 ms, and Linux does not need it

        fd, name = tempfile.mkstemp(prefix="pixmill-status-")
        os.unlink(name)  # noqa: PTH108  # pathlib would delay it, too
    try:
        os.ftruncate(fd, _SIZE)
        os.lseek(fd, PAGE_SIZE, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd
