"""Run a command, and say what it took: time, processor, memory of all its processes."""

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

PR_SET_CHILD_SUBREAPER = 36
SAMPLE = 0.25  # seconds between two looks at the memory, which take processor time from what is looked at
KIB = 1024


class Measured(msgspec.Struct, frozen=True):
    """What a command took: seconds by the clock, seconds of all processors, bytes at the worst moment.

    ``rss`` counts a page once for every process that has it, ``pss`` once; 0 where the system does not tell.
    """

    seconds: float
    cpu: float
    rss: int
    pss: int


class CommandFailed(Exception):
    """The command did not end well; the message is the end of what it said."""


def measure(command: Sequence[str], *, environment: Mapping[str, str], timeout: float) -> Measured:
    """Run ``command`` to its end, and to that of every process that it leaves behind."""
    _adopt_orphans()
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **environment})
        with _watched(process.pid) as peaks, _limited(process, timeout):
            status, usage = _wait(process)
        seconds = time.perf_counter() - began
        cpu = usage + sum(_orphans())
        if status:
            said.seek(0)
            raise CommandFailed(said.read().decode("utf-8", "replace")[-500:].strip())
    return Measured(seconds, cpu, *peaks)


def _adopt_orphans() -> None:
    """Become the parent of processes whose own ends first, so that none escapes the account."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Return exit status and processor time of the process and of all that it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _orphans() -> Iterator[float]:
    """Wait for what was left behind; yield the processor time of each."""
    with contextlib.suppress(ChildProcessError):
        while True:
            usage = os.wait3(0)[2]
            yield usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def _limited(process: subprocess.Popen[bytes], timeout: float) -> Iterator[None]:
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _watched(root: int) -> Iterator[list[int]]:
    """Keep the peaks of RSS and PSS of ``root`` and its descendants in the list that is given, until the block is left."""
    peaks, ended = [0, 0], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE):
            taken = [sum(sizes) for sizes in zip(*(_memory(pid) for pid in _tree(root)), strict=True)]
            peaks[:] = map(max, peaks, taken or [0, 0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def _tree(root: int) -> Iterator[int]:
    yield root
    for task in Path(f"/proc/{root}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                yield from _tree(int(child))


def _memory(pid: int) -> tuple[int, int]:
    """Return RSS and PSS of a process in bytes; 0 for one that has just ended."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(value.split()[0]) * KIB for name, value in (line.split(":") for line in lines)}
        return sizes["Rss"], sizes["Pss"]
    return 0, 0
