"""How many processes and threads may still be started here: a library that cannot start a thread takes its worker down."""

import os
import resource
from pathlib import Path

from pixmill.core.errors import RunError

_CGROUP, _PROC = Path("/sys/fs/cgroup"), Path("/proc")
_FORK_SERVER = 1


def workers_within_process_limit(wanted: int, *, threads: int, available: int | None) -> int:
    """Return how many of ``wanted`` workers, each with up to ``threads`` further threads, find ``room`` (``None``: all).

    ``RunError`` when there is not even room for one.
    """
    if available is None:
        return wanted
    each = 1 + threads
    affordable = (available - _FORK_SERVER) // each
    if affordable < 1:
        message = f"no worker process can be started: a worker needs {each} processes and threads, and {max(0, available)} are left"
        raise RunError(message, hint="raise the limit: pids_limit of the container, TasksMax of the unit, ulimit -u")
    return min(wanted, affordable)


def available_processes(cgroup: Path = _CGROUP, proc: Path = _PROC) -> int | None:
    """Return how many more processes and threads may be started; ``None`` for any number.

    It is what the control groups around this process (both versions) and RLIMIT_NPROC leave.
    """
    rooms = [room for room in (*_by_control_group(cgroup, proc), _by_user(proc)) if room is not None]
    return min(rooms, default=None)


def _by_control_group(cgroup: Path, proc: Path) -> list[int]:
    """Return the room in this process' group and in each of those around it."""
    rooms = []
    for line in _lines(proc / "self/cgroup"):
        _, controllers, name = line.split(":", 2)
        if controllers not in ("", "pids"):
            continue
        root = cgroup / controllers
        group = root / name.strip("/")
        for folder in (group, *group.parents):
            most, current = _number(folder / "pids.max"), _number(folder / "pids.current")
            if most is not None and current is not None:
                rooms.append(most - current)
            if folder == root:
                break
    return rooms


def _by_user(proc: Path) -> int | None:
    """Return the room that RLIMIT_NPROC leaves this user; it does not bind the superuser."""
    most = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if most == resource.RLIM_INFINITY or os.geteuid() == 0:
        return None
    user = str(os.getuid())
    threads = 0
    for status in proc.glob("[0-9]*/status"):
        facts = dict(line.split(":", 1) for line in _lines(status))
        if facts.get("Uid", "").split()[:1] == [user]:
            threads += int(facts.get("Threads", "1"))
    return most - threads


def _number(path: Path) -> int | None:
    text = "".join(_lines(path))
    return int(text) if text.isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
