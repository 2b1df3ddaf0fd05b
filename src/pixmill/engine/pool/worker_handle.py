"""The coordinator's view of one worker: its pipe, its beacon, and what it has been given and not yet answered."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from pixmill.engine.executor import WorkerStatus
from pixmill.engine.forkserver.client import ForkServer
from pixmill.engine.ipc.channel import open_channel
from pixmill.engine.ipc.messages import FrameReader, Message, request_frame
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.pool.prefetch import Prefetch
from pixmill.engine.task import Attempt, Failure

_RECEIVE = 262_144
_CANCEL_GRACE = 0.001


class WorkerHandle:
    """A worker from its birth to its burial.

    ``in_flight`` holds the unanswered attempts by sequence number, in the order in which the worker takes them.
    """

    def __init__(self, number: int, pipe: socket.socket, status_slot: StatusSlot, now: float) -> None:
        """Made by ``spawn``."""
        self.number = number
        self.pipe = pipe
        self.status_slot = status_slot
        self.pid = 0
        self.is_ready = False
        self.is_retiring = False
        self.is_exclusive = False
        self.is_shutting_down = False
        self.at_eof = False
        self.kill_reason: Failure | None = None
        self.start_error: Failure | None = None
        self.in_flight: dict[int, Attempt] = {}
        self.sent = 0
        self.last_activity = now
        self._prefetch = Prefetch()
        self._inbox = FrameReader()
        self._outbox = bytearray()
        self._cancelled_up_to: tuple[int, float] | None = None
        self._seen = 0
        self._suspended = 0.0

    @classmethod
    def spawn(cls, fork_server: ForkServer, number: int, now: float) -> Self:
        """Ask ``fork_server`` for a worker; attempts may be given at once, they wait in the pipe."""
        with open_channel() as ends:
            fork_server.fork(number, ends.child_pipe, ends.child_status_fd)
            ends.pipe.settimeout(0)
        return cls(number, ends.pipe, ends.status_slot, now)

    @property
    def is_open(self) -> bool:
        """Whether it may be given attempts."""
        return not (self.is_retiring or self.is_exclusive or self.at_eof or self.kill_reason)

    @property
    def is_fresh(self) -> bool:
        """Whether it has never been given anything."""
        return self.sent == 0 and self.is_open

    @property
    def is_sending(self) -> bool:
        """Whether something waits until the pipe takes more."""
        return bool(self._outbox)

    @property
    def has_pending_cancel(self) -> bool:
        """Whether ``recall`` waits for ``settle``."""
        return self._cancelled_up_to is not None

    def free(self) -> int:
        """Return how many more attempts it should be given; none while a recall is unsettled, for it would be taken back."""
        return self._prefetch.free(self._unfinished()) if self.is_open and not self.has_pending_cancel else 0

    def queued_seconds(self) -> float:
        """Return the seconds for which it has work behind what it is at."""
        return self._prefetch.queued_seconds(self._unfinished())

    def _unfinished(self) -> int:
        """Return how many of its attempts it is at or has not begun: others only wait for a disk, beside these."""
        return min(len(self.in_flight), self.sent - self.status_slot.last_started + 1)

    def send_requests(self, attempts: Sequence[Attempt], now: float) -> None:
        """Send ``attempts``."""
        if not self.in_flight:
            self.last_activity = now
        first = self.sent + 1
        self.sent += len(attempts)
        self.in_flight.update(enumerate(attempts, first))
        requests = [(number, attempt.task.payload, attempt.memory) for number, attempt in enumerate(attempts, first)]
        self._outbox += request_frame(requests)
        self.send()

    def send(self) -> None:
        """Write as much as the pipe takes."""
        try:
            while self._outbox:
                del self._outbox[: self.pipe.send(self._outbox)]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self._outbox.clear()  # it has died; its burial follows

    def receive(self) -> list[Message]:
        """Return the messages that have come; notes when the worker's end is closed."""
        return self._inbox.messages(self._read() or b"")

    def drain(self, *, patience: float = 0.0) -> list[Message]:
        """Return all messages that a dying worker left in the pipe; wait up to ``patience`` seconds for each."""
        self.pipe.settimeout(patience)
        words: list[Message] = []
        while data := self._read():
            words += self._inbox.messages(data)
        return words

    def _read(self) -> bytes | None:
        """Return what is in the pipe: ``None`` for nothing yet, nothing at its end."""
        try:
            data = self.pipe.recv(_RECEIVE)
        except (BlockingIOError, TimeoutError):
            return None
        except ConnectionResetError:
            data = b""
        self.at_eof = self.at_eof or not data
        return data

    def answered(self, number: int, seconds: float, now: float) -> Attempt | None:
        """Strike the errand off; return its attempt."""
        self._prefetch.note(seconds)
        self.last_activity = now
        self.is_exclusive = False
        return self.in_flight.pop(number, None)

    def current(self) -> tuple[int, Attempt] | None:
        """Return the attempt that the worker is at, with its sequence number."""
        number = self.status_slot.number
        attempt = self.in_flight.get(number)
        return None if attempt is None else (number, attempt)

    def status(self, now: float) -> WorkerStatus:
        """Return what the worker is at."""
        current, sign, memory = self.current(), self.status_slot.progress(), self.status_slot.memory
        if current is None or current[0] != sign.number:
            return WorkerStatus(pid=self.pid, memory=memory)
        return WorkerStatus(pid=self.pid, memory=memory, key=current[1].task.key, stage=sign.stage, seconds=now - sign.began)

    def elapsed(self, now: float, pause: float) -> float | None:
        """Return how long the current attempt has been running, ``None`` when there is none.

        Ask regularly. ``pause`` is how long the whole run has stood still since the last time: it does not count.
        """
        if self.current() is None:
            self.last_activity += pause
            return None
        sign = self.status_slot.progress()
        if sign.number != self._seen:
            self._seen, self._suspended = sign.number, 0.0
        self._suspended = max(0.0, min(self._suspended + pause, now - sign.began))  # it may have begun since ``now``
        return now - sign.began - self._suspended

    def cancel_pending(self, now: float) -> None:
        """Ask back what has not begun. The worker declines it when it comes to it; ``settle`` may know sooner."""
        self._cancelled_up_to = (self.status_slot.last_started, now)
        self.status_slot.cancel_up_to(self.sent)

    def collect_cancelled(self, now: float) -> list[Attempt]:
        """Return what has come back by ``recall`` without waiting for the worker to decline it.

        The worker first writes on the beacon what it begins and then looks whether it was recalled; we wrote the recall
        first and look now at what it has begun. If that is still what it was, a millisecond ago (for ever, to a store
        buffer), then the worker has not looked yet and will see the recall when it does.
        """
        if self._cancelled_up_to is None or now - self._cancelled_up_to[1] < _CANCEL_GRACE:
            return []
        number, self._cancelled_up_to = self._cancelled_up_to[0], None
        if self.status_slot.last_started != number or number not in self.in_flight:
            return []
        back = [self.in_flight.pop(later) for later in list(self.in_flight) if later > number]
        self.is_exclusive = self.is_exclusive and bool(self.in_flight)
        return back

    def retire(self, now: float) -> None:
        """Give it no more; once it has answered all, hang up, and it ends."""
        self.is_retiring = True
        if self.in_flight or self.is_shutting_down:
            return
        self.is_shutting_down = True
        self.last_activity = now
        with suppress(OSError):  # it may just have died
            self.pipe.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of the pipe and the beacon."""
        self.pipe.close()
        self.status_slot.close()
