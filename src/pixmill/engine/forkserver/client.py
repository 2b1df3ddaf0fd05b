"""The coordinator's side of the fork server: request a worker, kill one, and learn how each one ended."""

import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.forkserver import prestart
from pixmill.engine.forkserver.credentials import credentials, without_credentials
from pixmill.engine.forkserver.spawn import reap, spawn
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import frame
from pixmill.engine.ipc.status_file import Place

#: kind of the request or event, number of the worker, value, memory
RECORD = struct.Struct("=qqqq")
#: requests: fork a worker (attached: its pipe, its status descriptor, and the file of its page with ``value`` as offset, if any);
#: kill one
FORK, KILL = 1, 2
#: events: a worker started (value: its pid), could not be forked (errno), or exited (wait status; memory: its peak in bytes)
STARTED, FORK_FAILED, EXITED = 3, 4, 5

_CLOSE_TIMEOUT = 2.0


class WorkerConfig(msgspec.Struct, frozen=True):
    """Sent to the fork server once it is needed. ``processor_time``: the CPU seconds that a worker may use for one task.

    ``credentials``: variables for the environment of workers that may need them.
    """

    handler: HandlerRef
    processor_time: float
    credentials: dict[bytes, bytes] = {}


class ChildEvent(msgspec.Struct, frozen=True):
    """An event of a worker, reported by the fork server. The meaning of ``value`` depends on ``kind``."""

    kind: int
    number: int
    value: int
    memory: int


class ForkServer:
    """The fork server process, from its start to its end."""

    def __init__(self, handler: HandlerRef, *, processor_time: float) -> None:
        """Start the process, or claim the pre-started one; it imports and forks in the background.

        ``RunError`` if no process can be started.
        """
        self._partial = b""
        try:
            is_confined = handler.confinement is not None and not handler.confinement.network
            environment = without_credentials(os.environ) if is_confined else dict(os.environ)
            spawned = prestart.claim(handler.preload) or spawn(handler.preload, environment=environment)
            self._pid, self.pipe, self._log = spawned
        except OSError as error:
            message = f"cannot start a process: {error.strerror}"
            raise RunError(message, hint="check the limits on processes and open files") from error
        with suppress(BrokenPipeError):  # it has died already: ``events`` will raise
            config = WorkerConfig(handler, processor_time, {} if is_confined else credentials(os.environ))
            self.pipe.sendall(frame(msgspec.msgpack.encode(config)))

    def fork(self, number: int, pipe: socket.socket, status_fd: int, place: Place | None = None) -> None:
        """Request a worker; ``number`` identifies it from now on. ``place``: where its status page is, if that is in a file."""
        fds = [pipe.fileno(), status_fd, *([place.fd] if place else [])]
        socket.send_fds(self.pipe, [RECORD.pack(FORK, number, place.offset if place else 0, 0)], fds)

    def kill(self, number: int) -> None:
        """Have the worker killed. Safe if it has just exited: its pid cannot be reused before the fork server has reaped it."""
        self.pipe.sendall(RECORD.pack(KILL, number, 0, 0))

    def events(self) -> Iterator[ChildEvent]:
        """Yield the events that have arrived. ``ConnectionResetError`` after the last one, if the fork server has died."""
        data = self.pipe.recv(RECORD.size * 256)
        received = self._partial + data
        end = len(received) - len(received) % RECORD.size
        self._partial = received[end:]
        for fields in RECORD.iter_unpack(received[:end]):
            yield ChildEvent(*fields)
        if not data:
            raise ConnectionResetError

    def log(self) -> str:
        """Return the standard output and error of the process."""
        return self._log.output()

    def close(self) -> bool:
        """End the process; return whether it killed and reaped its workers first, which it cannot do if it was killed itself.

        A second call does nothing.
        """
        if self.pipe.fileno() < 0:
            return False
        self.pipe.settimeout(_CLOSE_TIMEOUT)
        with suppress(OSError):  # it has died or was stopped: the kill below ends it in either case
            self.pipe.shutdown(socket.SHUT_WR)
            while self.pipe.recv(65_536):
                pass
        self.pipe.close()
        self._log.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        return reap(self._pid)
