"""Starts the fork server process. Imports little: a command runs this before it imports anything else."""

import marshal
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pixmill.engine.ipc.channel import open_channel
from pixmill.engine.ipc.status_slot import StatusSlot

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from pixmill.engine.forkserver.process import main; main()"


class Spawned(NamedTuple):
    """A fork server process: its pid, our end of its pipe, and the slot that holds its output."""

    pid: int
    pipe: socket.socket
    log: StatusSlot


class BootConfig(NamedTuple):
    """The first message to the fork server: the modules to import, and the ``sys.path`` and ``sys.argv`` to use.

    ``parent_pid``: the pid of the parent whose death kills it at once; 0 to wait for the end of the pipe instead.
    """

    path: list[str]
    argv: list[str]
    parent_pid: int
    preload: tuple[str, ...]


def spawn(preload: Sequence[str], *, environment: Mapping[str, str]) -> Spawned:
    """Start a fork server, which imports ``preload`` in the background. ``OSError`` if it cannot be started."""
    with open_channel() as channel:
        pid = _execute(channel.child_pipe.fileno(), channel.child_status_fd, environment)
    boot_config = marshal.dumps(tuple(_boot_config(preload)))  # same interpreter at both ends, and no import is needed
    with suppress(BrokenPipeError):  # it has died already: the next read reports that
        channel.pipe.sendall(len(boot_config).to_bytes(4, "little") + boot_config)
    return Spawned(pid, channel.pipe, channel.status_slot)


def reap(pid: int) -> bool:
    """Wait for the process to exit; return whether its exit status is 0."""
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return False  # the calling program reaps all of its children itself
    return status == 0


def _boot_config(preload: Sequence[str]) -> BootConfig:
    """Let the fork server die with this process if this is the main thread; the end of another thread must not kill it."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    path = [entry for entry in sys.path if isinstance(entry, str)]  # an import ignores others, too
    return BootConfig(path, list(map(str, sys.argv)), os.getpid() if in_main_thread else 0, tuple(preload))


def _execute(pipe_fd: int, log_fd: int, environment: Mapping[str, str]) -> int:
    command = [sys.executable, *_flags(), "-c", _BOOT, str(Path(__file__).parents[3])]
    files = [(os.POSIX_SPAWN_DUP2, pipe_fd, 0), (os.POSIX_SPAWN_DUP2, log_fd, 1), (os.POSIX_SPAWN_DUP2, log_fd, 2)]
    return os.posix_spawn(sys.executable, command, environment, file_actions=files, setsigmask=[])


def _flags() -> list[str]:
    """Return the interpreter's own options, so that the fork server runs as the caller does.

    ``-P`` is always added: the fork server must not import from the current directory, which may contain a ``socket.py``.
    """
    switches = {
        "-I": sys.flags.isolated,
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-B": sys.dont_write_bytecode,
    }
    flags = ["-P", *(switch for switch, is_set in switches.items() if is_set)]
    flags += ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    flags += [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in sys._xoptions.items()]  # noqa: SLF001  # documented
    return flags + [f"-W{option}" for option in sys.warnoptions]
