"""A page of memory that a worker and the coordinator share: where the worker is, visible even after it died.

Writing it costs no system call. The page also holds a bound on what was recalled, which the coordinator writes, and is
followed by room for what the worker writes to its standard output and error while it is at one task: the evidence of a
crash, and a terminal that no C library can spoil.

The first eight words are 64 bits wide and each is written whole, so a reader never sees half a value:

    number of the errand it is at | when that began (monotonic) | stage | number of stages | memory | memory at start |
    errands up to here are recalled | number of the errand begun last
"""

import mmap
import os
import threading
from typing import NamedTuple, Self

_PAGE = 4096
_LOG = 16_384
_SIZE = _PAGE + _LOG
_NUMBER, _BEGAN, _STAGE, _STAGES, _MEMORY, _MEMORY_AT_START, _CANCELLED, _LAST_STARTED = range(8)
_NAMES = 64
_NAME = 32
_MAX_STAGES = (_PAGE - _NAMES) // _NAME


class Progress(NamedTuple):
    """What a beacon shows: the errand that the worker is at (0 for none yet), since when, by the monotonic clock, and its stage."""

    number: int
    began: float
    stage: str


def redirect_output(fd: int) -> None:
    """Send this process' standard output and error to the log of the beacon behind ``fd``."""
    os.dup2(fd, 1)
    os.dup2(fd, 2)


class StatusSlot:
    """One worker's page; the coordinator makes it, the worker attaches to it."""

    def __init__(self, memory: mmap.mmap) -> None:
        """Wrap shared ``memory``."""
        self._memory = memory
        self._view = memoryview(memory)
        self._words = self._view[:_NAMES].cast("Q")
        self._seconds = self._view[:_NAMES].cast("d")
        self._register_lock = threading.Lock()

    @classmethod
    def create(cls) -> tuple[Self, int]:
        """Return a fresh beacon and the file descriptor to hand to the worker, which is the caller's to close."""
        fd = _anonymous_file()
        try:
            return cls.attach(fd), fd
        except BaseException:
            os.close(fd)
            raise

    @classmethod
    def attach(cls, fd: int) -> Self:
        """Return the beacon behind ``fd``."""
        return cls(mmap.mmap(fd, _SIZE))

    def begin(self, number: int, now: float) -> None:
        """Say that the errand ``number`` begins."""
        self.set_current(number, now)
        self._words[_LAST_STARTED] = number

    def set_current(self, number: int, began: float) -> None:
        """Say that the worker is at the errand ``number``, which ``began`` then: perhaps before others that it has begun."""
        self._words[_STAGE] = 0
        self._seconds[_BEGAN] = began
        self._words[_NUMBER] = number

    def is_cancelled(self, number: int) -> bool:
        """Return whether the coordinator took back the errand ``number``. Ask after ``begin``: see ``WorkerHandle.recall``."""
        return number <= self._words[_CANCELLED]

    def cancel_up_to(self, number: int) -> None:
        """Take back every errand up to ``number`` that has not begun."""
        self._words[_CANCELLED] = number

    def register_stage(self, name: str) -> int:
        """Return the index under which ``name`` is known from now on; 0, the nameless stage, when the page is full."""
        with self._register_lock:
            index = self._words[_STAGES] + 1
            if index >= _MAX_STAGES:
                return 0
            encoded = name.encode()[:_NAME].ljust(_NAME, b"\0")
            self._memory[_NAMES + index * _NAME : _NAMES + (index + 1) * _NAME] = encoded
            self._words[_STAGES] = index
            return index

    def set_stage(self, stage: int) -> None:
        """Say that the stage of this index begins."""
        self._words[_STAGE] = stage

    def progress(self) -> Progress:
        """Return where the worker is."""
        index = self._words[_STAGE]
        raw = self._memory[_NAMES + index * _NAME : _NAMES + (index + 1) * _NAME] if index else b""
        return Progress(self._words[_NUMBER], self._seconds[_BEGAN], raw.rstrip(b"\0").decode(errors="replace"))

    @property
    def number(self) -> int:
        """The errand that the worker is at, 0 for none yet."""
        return self._words[_NUMBER]

    @property
    def last_started(self) -> int:
        """The errand begun last, 0 for none yet."""
        return self._words[_LAST_STARTED]

    def note_memory(self, size: int) -> None:
        """Write down the worker's resident memory in bytes; the first note is what growth is measured from."""
        if not self._words[_MEMORY_AT_START]:
            self._words[_MEMORY_AT_START] = size
        self._words[_MEMORY] = size

    @property
    def memory(self) -> int:
        """The worker's resident memory in bytes, as it last wrote it down."""
        return self._words[_MEMORY]

    def growth(self) -> int:
        """Return by how many bytes the worker has grown since it started."""
        return max(0, self._words[_MEMORY] - self._words[_MEMORY_AT_START])

    def output(self) -> str:
        """Return what the worker wrote to its standard output and error during the errand begun last, 16 KiB at most."""
        written = self._memory[_PAGE:_SIZE]
        return written.rstrip(b"\0").decode(errors="replace").strip()

    def clear_output(self) -> None:
        """Empty the log of the errand before. Costs a look at one byte when nothing was written."""
        if self._memory[_PAGE]:
            os.ftruncate(2, _SIZE)
            os.lseek(2, _PAGE, os.SEEK_SET)
            self._memory[_PAGE:_SIZE] = bytes(_LOG)

    def close(self) -> None:
        """Let go of the memory."""
        for view in (self._words, self._seconds, self._view):
            view.release()
        self._memory.close()


def _anonymous_file() -> int:
    """Return a file without a name: in memory on Linux (/dev/shm may be 64 MB in a container), else a temporary one."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("pixmill-beacon", os.MFD_CLOEXEC)
    else:
        import tempfile  # noqa: PLC0415  # 2 ms before a nursery can be started, and Linux needs none

        fd, name = tempfile.mkstemp(prefix="pixmill-beacon-")
        os.unlink(name)  # noqa: PTH108  # the same of pathlib
    try:
        os.ftruncate(fd, _SIZE)
        os.lseek(fd, _PAGE, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd
