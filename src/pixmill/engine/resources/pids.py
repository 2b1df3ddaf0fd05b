"""How many more processes and threads may be started: a library that fails to start a thread can abort its worker."""

import os
from pathlib import Path

from pixmill.core.errors import RunError
from pixmill.core.operating_system import soft_limit
from pixmill.engine.resources.cgroup import CGROUP_ROOT, read_number, read_text

_PROC = Path("/proc")
_FORK_SERVER = 1


def workers_within_process_limit(wanted: int, *, threads: int, available: int | None) -> int:
    """Return how many of ``wanted`` workers, each with up to ``threads`` further threads, fit into ``available`` (``None``: all).

    ``RunError`` if not even one fits.
    """
    if available is None:
        return wanted
    per_worker = 1 + threads
    affordable = (available - _FORK_SERVER) // per_worker
    if affordable < 1:
        message = (
            f"cannot start a worker process: a worker needs {per_worker} processes and threads, {max(0, available)} are available"
        )
        raise RunError(message, hint="raise the limit: pids_limit of the container, TasksMax of the unit, or ulimit -u")
    return min(wanted, affordable)


def available_processes(cgroup: Path = CGROUP_ROOT, proc: Path = _PROC) -> int | None:
    """Return how many more processes and threads may be started; ``None`` if there is no limit.

    The limits are those of the control groups around this process (both versions) and RLIMIT_NPROC.
    """
    limits = [available for available in (*_within_cgroups(cgroup, proc), _within_user_limit(proc)) if available is not None]
    return min(limits, default=None)


def _within_cgroups(cgroup: Path, proc: Path) -> list[int]:
    """Return how many more processes this process' group and each of its ancestors allow."""
    available = []
    for line in read_text(proc / "self/cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers not in ("", "pids"):
            continue
        root = cgroup / controllers
        group = root / name.strip("/")
        for folder in (group, *group.parents):
            limit, current = read_number(folder / "pids.max"), read_number(folder / "pids.current")
            if limit is not None and current is not None:
                available.append(limit - current)
            if folder == root:
                break
    return available


def _within_user_limit(proc: Path) -> int | None:
    """Return how many more processes RLIMIT_NPROC allows this user; it does not apply to root."""
    limit = soft_limit("RLIMIT_NPROC")
    if limit is None or os.geteuid() == 0:
        return None
    user = str(os.getuid())
    threads = 0
    for status in proc.glob("[0-9]*/status"):
        fields = dict(line.split(":", 1) for line in read_text(status).splitlines())
        if fields.get("Uid", "").split()[:1] == [user]:
            threads += int(fields.get("Threads", "1"))
    return limit - threads
