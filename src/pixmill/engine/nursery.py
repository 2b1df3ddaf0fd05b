"""The coordinator's hold on the nursery: ask for a worker, have one killed, hear how each one ended."""

import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.beacon import Beacon
from pixmill.engine.handler import HandlerRef
from pixmill.engine.wire import frame

#: request or report, number of the worker, value, memory
RECORD = struct.Struct("=qqqq")
#: requests: fork a worker (its pipe and beacon ride along); kill one
FORK, KILL = 1, 2
#: reports: a worker lives (value: its pid), could not be forked (errno), has ended (wait status; memory: its peak in bytes)
BORN, STILLBORN, ENDED = 3, 4, 5

_PATIENCE = 2.0
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from pixmill.engine.nursery_process import main; main()"


class Hello(msgspec.Struct, frozen=True):
    """What the nursery is told first.

    ``dies_with``: the pid of the parent whose death ends it at once, 0 to wait for the pipe. ``processor_time``: seconds that a
    worker may compute for one task.
    """

    handler: HandlerRef
    path: list[str]
    argv: list[str]
    dies_with: int
    processor_time: float


class Report(msgspec.Struct, frozen=True):
    """One report of the nursery; ``kind`` says what ``value`` means."""

    kind: int
    number: int
    value: int
    memory: int


class Nursery:
    """The nursery process, from its start to its end."""

    def __init__(self, handler: HandlerRef, *, processor_time: float) -> None:
        """Start the process; it imports and forks while the caller goes on. ``RunError`` when it cannot be started."""
        self._rest = b""
        try:
            self._pid, self.pipe, self._log = _spawn()
        except OSError as error:
            message = f"no process can be started: {error.strerror}"
            raise RunError(message, hint="is there a limit on processes or on open files?") from error
        with suppress(BrokenPipeError):  # it has died already, which ``reports`` will tell
            self.pipe.sendall(frame(msgspec.msgpack.encode(_hello(handler, processor_time))))

    def fork(self, number: int, pipe: socket.socket, beacon_fd: int) -> None:
        """Ask for a worker. It is told by ``number`` from now on."""
        socket.send_fds(self.pipe, [RECORD.pack(FORK, number, 0, 0)], [pipe.fileno(), beacon_fd])

    def kill(self, number: int) -> None:
        """Have the worker killed; harmless when it has just ended, for its pid is not free before the nursery knows."""
        self.pipe.sendall(RECORD.pack(KILL, number, 0, 0))

    def reports(self) -> Iterator[Report]:
        """Yield what has been reported since. ``ConnectionResetError`` at the end, when the nursery is gone."""
        data = self.pipe.recv(RECORD.size * 256)
        whole = self._rest + data
        end = len(whole) - len(whole) % RECORD.size
        self._rest = whole[end:]
        for fields in RECORD.iter_unpack(whole[:end]):
            yield Report(*fields)
        if not data:
            raise ConnectionResetError

    def log(self) -> str:
        """Return what the process wrote to its standard output and error."""
        return self._log.log()

    def close(self) -> bool:
        """End the process; return whether it could kill and reap its workers before, which it cannot when it was killed.

        A second call does nothing.
        """
        if self.pipe.fileno() < 0:
            return False
        self.pipe.settimeout(_PATIENCE)
        with suppress(OSError):  # gone already, or stopped: the kill below ends it either way
            self.pipe.shutdown(socket.SHUT_WR)
            while self.pipe.recv(65_536):
                pass
        self.pipe.close()
        self._log.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        return _reap(self._pid)


def _reap(pid: int) -> bool:
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return False  # the caller's program reaps all its children itself
    return status == 0


def _hello(handler: HandlerRef, processor_time: float) -> Hello:
    """Have the nursery die with the main thread, which is to say with us; another thread's end must not kill it."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return Hello(handler, sys.path, sys.argv, os.getpid() if in_main_thread else 0, processor_time)


def _spawn() -> tuple[int, socket.socket, Beacon]:
    """Return the pid of a new nursery, our end of its pipe, and where its output goes."""
    with ExitStack() as shared, ExitStack() as kept:
        ours, theirs = socket.socketpair()
        kept.enter_context(ours)
        shared.enter_context(theirs)
        log, log_fd = Beacon.create()
        kept.callback(log.close)
        shared.callback(os.close, log_fd)
        pid = _execute(theirs.fileno(), log_fd)
        kept.pop_all()
    return pid, ours, log


def _execute(pipe_fd: int, log_fd: int) -> int:
    command = [sys.executable, *_flags(), "-c", _BOOT, str(Path(__file__).parents[2])]
    files = [(os.POSIX_SPAWN_DUP2, pipe_fd, 0), (os.POSIX_SPAWN_DUP2, log_fd, 1), (os.POSIX_SPAWN_DUP2, log_fd, 2)]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=files, setsigmask=[])


def _flags() -> list[str]:
    """Return the interpreter's own options, so that the nursery runs as the caller does."""
    switches = {
        "-I": sys.flags.isolated,
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-B": sys.dont_write_bytecode,
    }
    flags = [switch for switch, is_set in switches.items() if is_set]
    flags += ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    flags += [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in sys._xoptions.items()]  # noqa: SLF001  # documented
    return flags + [f"-W{option}" for option in sys.warnoptions]
