"""The coordinator's hold on the nursery: ask for a worker, have one killed, hear how each one ended."""

import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.forkserver import prestart
from pixmill.engine.forkserver.spawn import reap, spawn
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import frame

#: request or report, number of the worker, value, memory
RECORD = struct.Struct("=qqqq")
#: requests: fork a worker (its pipe and beacon ride along); kill one
FORK, KILL = 1, 2
#: reports: a worker lives (value: its pid), could not be forked (errno), has ended (wait status; memory: its peak in bytes)
STARTED, FORK_FAILED, EXITED = 3, 4, 5

_CLOSE_TIMEOUT = 2.0


class WorkerConfig(msgspec.Struct, frozen=True):
    """What the nursery is told once it is needed. ``processor_time``: seconds that a worker may compute for one task."""

    handler: HandlerRef
    processor_time: float


class ChildEvent(msgspec.Struct, frozen=True):
    """One report of the nursery; ``kind`` says what ``value`` means."""

    kind: int
    number: int
    value: int
    memory: int


class ForkServer:
    """The nursery process, from its start to its end."""

    def __init__(self, handler: HandlerRef, *, processor_time: float) -> None:
        """Start the process, or take the spare; it imports and forks while the caller goes on.

        ``RunError`` when none can be started.
        """
        self._partial = b""
        try:
            self._pid, self.pipe, self._log = prestart.claim(handler.preload) or spawn(handler.preload)
        except OSError as error:
            message = f"no process can be started: {error.strerror}"
            raise RunError(message, hint="is there a limit on processes or on open files?") from error
        with suppress(BrokenPipeError):  # it has died already, which ``reports`` will tell
            self.pipe.sendall(frame(msgspec.msgpack.encode(WorkerConfig(handler, processor_time))))

    def fork(self, number: int, pipe: socket.socket, status_fd: int) -> None:
        """Ask for a worker. It is told by ``number`` from now on."""
        socket.send_fds(self.pipe, [RECORD.pack(FORK, number, 0, 0)], [pipe.fileno(), status_fd])

    def kill(self, number: int) -> None:
        """Have the worker killed; harmless when it has just ended, for its pid is not free before the nursery knows."""
        self.pipe.sendall(RECORD.pack(KILL, number, 0, 0))

    def events(self) -> Iterator[ChildEvent]:
        """Yield what has been reported since. ``ConnectionResetError`` at the end, when the nursery is gone."""
        data = self.pipe.recv(RECORD.size * 256)
        whole = self._partial + data
        end = len(whole) - len(whole) % RECORD.size
        self._partial = whole[end:]
        for fields in RECORD.iter_unpack(whole[:end]):
            yield ChildEvent(*fields)
        if not data:
            raise ConnectionResetError

    def log(self) -> str:
        """Return what the process wrote to its standard output and error."""
        return self._log.output()

    def close(self) -> bool:
        """End the process; return whether it could kill and reap its workers before, which it cannot when it was killed.

        A second call does nothing.
        """
        if self.pipe.fileno() < 0:
            return False
        self.pipe.settimeout(_CLOSE_TIMEOUT)
        with suppress(OSError):  # gone already, or stopped: the kill below ends it either way
            self.pipe.shutdown(socket.SHUT_WR)
            while self.pipe.recv(65_536):
                pass
        self.pipe.close()
        self._log.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        return reap(self._pid)
