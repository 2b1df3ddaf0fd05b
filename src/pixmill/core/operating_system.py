"""What differs between operating systems: flags of open files, locks, limits, signals, and what a run needs that some lack.

No module imports what only some systems have while it is imported itself; here it is imported when it is needed. A flag that a
system lacks is 0: what it would do is then not done, so what depends on it for safety belongs behind ``require_processes``.
"""

import errno
import os
import signal
import sys

#: flags of ``os.open``: fail for a link; for anything but a folder; never wait for another process to open a FIFO; never make a
#: terminal that of this process; do not leave the file open in programs that are started; keep every byte as it is
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
FOLDER = getattr(os, "O_DIRECTORY", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
NO_TERMINAL = getattr(os, "O_NOCTTY", 0)
CLOSED_ON_EXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)
BINARY = getattr(os, "O_BINARY", 0)

#: the signals that ask a program to end
END_SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

_NO_FULL_SYNC = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOTTY, errno.EOPNOTSUPP})
_NAMES = {"win32": "Windows", "darwin": "macOS", "linux": "Linux"}


def has_processes() -> bool:
    """Tell whether this system has the processes that a run consists of: forked ones, which pass open files to each other."""
    return hasattr(os, "fork") and hasattr(os, "posix_spawn")


def require_processes(subject: str) -> None:
    """Raise a ``ConfigError`` that says that ``subject`` does not work on this system, if it has no such processes."""
    if has_processes():
        return
    from pixmill.core.errors import ConfigError  # noqa: PLC0415  # the fork server starts before the errors are imported

    name = _NAMES.get(sys.platform, sys.platform)
    message = f"{subject} does not work on {name}, which cannot fork processes and pass open files to them"
    raise ConfigError(message, code="system", hint=_remedy())


def missing() -> tuple[str, ...]:
    """Return what this system lacks of what a run uses; nothing on Linux."""
    if not has_processes():
        return ("forked processes that pass open files to each other",)
    is_linux = sys.platform == "linux"
    has = {
        "a record of what was at work when a run was killed": hasattr(os, "posix_fallocate"),
        "the limits of processor affinity and containers": hasattr(os, "sched_getaffinity"),
        "notices of changes in a folder, so that watch polls": is_linux,
        "the present memory of a worker, so that its peak counts": is_linux,
    }
    return tuple(what for what, is_there in has.items() if not is_there)


def _remedy() -> str:
    place = "in WSL (wsl --install)" if sys.platform == "win32" else "on Linux"
    return f'use pixmill {place} or in a container; in Python, pixmill.process(image, size="800x600") works here, too'


def is_allowed(path: str | os.PathLike[str], access: int) -> bool:
    """Tell whether this process has ``access`` to ``path`` with its current rights, as given by a container or ``sudo``."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
    """Lock an open file or folder until it is closed, by whatever end of this process.

    Without ``wait``, ``BlockingIOError`` if another open file has the lock; another ``OSError`` where there are no locks.
    """
    import fcntl  # noqa: PLC0415  # not on Windows

    fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))


def lock_bytes(descriptor: int, size: int, offset: int, *, wait: bool = False) -> None:
    """Lock ``size`` bytes at ``offset`` of a file against other processes, until ``unlock_bytes`` or the end of this one.

    Without ``wait``, ``BlockingIOError`` or ``PermissionError``, depending on the system, if another process has the lock.
    """
    import fcntl  # noqa: PLC0415  # not on Windows

    fcntl.lockf(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), size, offset)


def unlock_bytes(descriptor: int, size: int, offset: int) -> None:
    """Release what ``lock_bytes`` has locked."""
    import fcntl  # noqa: PLC0415  # not on Windows

    fcntl.lockf(descriptor, fcntl.LOCK_UN, size, offset)


def sync(descriptor: int) -> None:
    """Wait until an open file or folder is on the disk."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415  # not on Windows

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone leaves the data in the drive's cache
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
        else:
            return
    os.fsync(descriptor)


def allocate(descriptor: int, offset: int, size: int) -> None:
    """Give ``size`` bytes at ``offset`` of a file their blocks on the disk; ``OSError`` where that is impossible, as on macOS."""
    if not hasattr(os, "posix_fallocate"):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    os.posix_fallocate(descriptor, offset, size)


def physical_memory() -> int:
    """Return the memory of the machine in bytes; 0 if this system does not tell."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0


def limits() -> list[tuple[int, int]]:
    """Return all limits of this process, soft and hard, in an order that stays the same; none on a system without limits."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return []
    numbers = sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")})
    return [resource.getrlimit(number) for number in numbers]


def soft_limit(name: str) -> int | None:
    """Return the soft limit ``name``, such as ``RLIMIT_NOFILE``; ``None`` if there is none."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return None
    soft = resource.getrlimit(getattr(resource, name))[0]
    return None if soft == resource.RLIM_INFINITY else soft


def lower_limit(name: str, value: int) -> None:
    """Set the soft limit ``name`` to ``value``, capped at the hard limit."""
    import resource  # noqa: PLC0415  # not on Windows

    number = getattr(resource, name)
    hard = resource.getrlimit(number)[1]
    resource.setrlimit(number, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
