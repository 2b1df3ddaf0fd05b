"""Inspects processes from outside and waits for conditions. Needs /proc."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest


def _proc() -> Path:
    """Return the folder of all processes; without one, as on macOS, the test is skipped."""
    if sys.platform != "linux":
        pytest.skip("processes are inspected in /proc, which this system lacks")
    return Path("/proc")


def children(pid: int) -> list[int]:
    """Return the pids of the living children of a process."""
    found = []
    for stat in _proc().glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def grandchildren(pid: int) -> list[int]:
    """Return the pids of the living grandchildren of a process: of a coordinator, these are the workers."""
    return [grandchild for child in children(pid) for grandchild in children(child)]


def of_session(session: int) -> list[int]:
    """Return the pids of the processes of a session, without zombies: all descendants of a command, even orphaned ones."""
    return list(family(session))


def family(session: int) -> dict[int, int]:
    """Return the parent of each process of a session, by pid, without zombies."""
    found = {}
    for stat in _proc().glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, _, its_session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(its_session) == session and state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        return (_proc() / f"{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def peak(pid: int) -> int:
    """Return the peak resident memory of a running process, in bytes."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def peaks_of(command: Sequence[str | Path]) -> tuple[int, str, int, int]:
    """Run ``command``; return its exit code, its errors, the most memory its processes used together, and the most that one did.

    Pages that several processes share are divided among them in the sum.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, text=True)
    together = largest = 0

    def watch() -> None:
        nonlocal together, largest
        while process.poll() is None:
            pids = of_session(process.pid)
            together = max(together, sum(map(proportional, pids)))
            for pid in pids:
                with suppress(OSError, StopIteration):
                    largest = max(largest, peak(pid))
            time.sleep(0.02)  # the sampling interval

    watcher = threading.Thread(target=watch)
    watcher.start()
    errors = process.communicate()[1]
    watcher.join()
    return process.returncode, errors, together, largest


def proportional(pid: int) -> int:
    """Return the memory of a process in bytes, pages that several share divided among them; 0 if it has gone."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return 0


def wait_until(condition: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Return as soon as ``condition`` holds; fail the test if it does not hold within ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"the condition did not hold within {seconds} s")
        time.sleep(0.005)
