"""Runs a command and measures its time, CPU time, and the memory of all its processes."""

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
SAMPLE = 0.25  # seconds between memory samples; sampling takes CPU time from the measured processes
KIB = 1024


class Measured(msgspec.Struct, frozen=True):
    """The cost of a command: elapsed seconds, CPU seconds, and peak memory in bytes.

    ``rss`` counts a page once per process that maps it, ``pss`` once in total; 0 if the system does not report it.
    """

    seconds: float
    cpu: float
    rss: int
    pss: int


class CommandFailed(Exception):
    """The command failed; the message is the end of its output."""


def measure(command: Sequence[str], *, environment: Mapping[str, str], timeout: float) -> Measured:
    """Run ``command`` and wait for it and for every process that it leaves behind."""
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
    """Become the parent of processes whose own parent ends first, so that all of them are measured."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Return the exit status and the CPU time of the process and of all children that it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def _orphans() -> Iterator[float]:
    """Wait for orphaned processes; yield the CPU time of each."""
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
    """Yield a list that is updated with the peak RSS and PSS of ``root`` and its descendants for the duration of the block."""
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
    """Return the RSS and PSS of a process in bytes; 0 if it has just ended."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(value.split()[0]) * KIB for name, value in (line.split(":") for line in lines)}
        return sizes["Rss"], sizes["Pss"]
    return 0, 0
