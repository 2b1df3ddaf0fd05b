"""Start the process of a nursery. Imports little: a command starts one before it imports anything else."""

import marshal
import os
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pixmill.engine.ipc.channel import open_channel
from pixmill.engine.ipc.status_slot import StatusSlot

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from pixmill.engine.forkserver.process import main; main()"


class Spawned(NamedTuple):
    """The process of a nursery: its pid, our end of its pipe, and where its output goes."""

    pid: int
    pipe: socket.socket
    log: StatusSlot


class BootConfig(NamedTuple):
    """What the nursery is told first: what to import, and as whom.

    ``parent_pid``: the pid of the parent whose death ends it at once, 0 to wait for the pipe.
    """

    path: list[str]
    argv: list[str]
    parent_pid: int
    preload: tuple[str, ...]


def spawn(preload: Sequence[str]) -> Spawned:
    """Return a new nursery, which imports ``preload`` while the caller goes on. ``OSError`` when it cannot be started."""
    with open_channel() as ends:
        pid = _execute(ends.child_pipe.fileno(), ends.child_status_fd)
    letter = marshal.dumps(tuple(_boot_config(preload)))  # for the same interpreter, and it is at hand
    with suppress(BrokenPipeError):  # it has died already, which whoever reads from it will hear
        ends.pipe.sendall(len(letter).to_bytes(4, "little") + letter)
    return Spawned(pid, ends.pipe, ends.status_slot)


def reap(pid: int) -> bool:
    """Wait for the process to end; return whether it ended well."""
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return False  # the caller's program reaps all its children itself
    return status == 0


def _boot_config(preload: Sequence[str]) -> BootConfig:
    """Have the nursery die with the main thread, which is to say with us; another thread's end must not kill it."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    path = [place for place in sys.path if isinstance(place, str)]  # as an import does
    return BootConfig(path, list(map(str, sys.argv)), os.getpid() if in_main_thread else 0, tuple(preload))


def _execute(pipe_fd: int, log_fd: int) -> int:
    command = [sys.executable, *_flags(), "-c", _BOOT, str(Path(__file__).parents[3])]
    files = [(os.POSIX_SPAWN_DUP2, pipe_fd, 0), (os.POSIX_SPAWN_DUP2, log_fd, 1), (os.POSIX_SPAWN_DUP2, log_fd, 2)]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=files, setsigmask=[])


def _flags() -> list[str]:
    """Return the interpreter's own options, so that the nursery runs as the caller does.

    But for ``-P``, which is always there: it boots without a look into the current folder, where a ``socket.py`` may be.
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
