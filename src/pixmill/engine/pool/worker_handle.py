"""The coordinator's view of one worker: its pipe, its status slot, and the attempts that it has not answered yet."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Self

from pixmill.engine.executor import WorkerStatus
from pixmill.engine.forkserver.client import ForkServer
from pixmill.engine.ipc.channel import open_channel
from pixmill.engine.ipc.messages import FrameReader, Message, TaskResult, request_frame
from pixmill.engine.ipc.status_file import Place, StatusFile
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.pool.prefetch import Prefetch
from pixmill.engine.task import Attempt, Failure

_RECEIVE_SIZE = 262_144
_CANCEL_GRACE = 0.001


class WorkerHandle:
    """A worker, from the request to start it until it has been reaped.

    ``in_flight`` holds the unanswered attempts by sequence number, in the order in which the worker processes them.
    """

    def __init__(
        self, number: int, pipe: socket.socket, status_slot: StatusSlot, place: Place | None, now: float, prefetch: Prefetch
    ) -> None:
        """Use ``spawn``, which calls this."""
        self._place = place
        self.number = number
        self.pipe = pipe
        self.status_slot = status_slot
        self.pid = 0
        self.is_retiring = False
        self.has_isolated = False
        self.is_shutting_down = False
        self.has_started = False
        self.at_eof = False
        self.kill_reason: Failure | None = None
        self.in_flight: dict[int, Attempt] = {}
        self.sent = 0
        self.last_activity = now
        self._prefetch = prefetch
        self._reader = FrameReader()
        self._outbox = bytearray()
        self._cancel_requested: tuple[int, float] | None = None
        self._timed_number = 0
        self._suspended = 0.0

    @classmethod
    def spawn(
        cls, fork_server: ForkServer, number: int, now: float, prefetch: Prefetch, status_file: StatusFile | None = None
    ) -> Self:
        """Request a worker from ``fork_server``, with a page in ``status_file``; ``prefetch`` tells how many attempts it gets.

        Attempts may be sent at once; they wait in the pipe.
        """
        with ExitStack() as on_error:
            place = status_file.open_place() if status_file else None
            if place:
                on_error.callback(place.close)
            with open_channel(place.memory if place else None) as channel:
                fork_server.fork(number, channel.child_pipe, channel.child_status_fd, place)
                channel.pipe.settimeout(0)
            on_error.pop_all()
        return cls(number, channel.pipe, channel.status_slot, place, now, prefetch)

    @property
    def is_open(self) -> bool:
        """Whether it accepts attempts."""
        return not (self.is_retiring or self.has_isolated or self.at_eof or self.kill_reason)

    @property
    def is_fresh(self) -> bool:
        """Whether it has never received an attempt."""
        return self.sent == 0 and self.is_open

    @property
    def is_sending(self) -> bool:
        """Whether data waits until the pipe accepts more."""
        return bool(self._outbox)

    @property
    def has_pending_cancel(self) -> bool:
        """Whether ``cancel_pending`` was called and ``collect_cancelled`` has not concluded yet."""
        return self._cancel_requested is not None

    def free(self) -> int:
        """Return how many more attempts to send; none while a cancellation is pending, since they would be cancelled, too."""
        return self._prefetch.free(self._unfinished()) if self.is_open and not self.has_pending_cancel else 0

    def queued_seconds(self) -> float:
        """Return the seconds of work queued behind the current attempt."""
        return self._prefetch.queued_seconds(self._unfinished())

    def _unfinished(self) -> int:
        """Return how many attempts are running or have not begun; the others are computed and wait to be committed.

        If inputs are read ahead, the order in which attempts are computed is unknown, and these count as well.
        """
        if self._prefetch.ahead:
            return len(self.in_flight)
        return min(len(self.in_flight), self.sent - self.status_slot.last_started + 1)

    def send_requests(self, attempts: Sequence[Attempt], now: float) -> None:
        """Send ``attempts``."""
        if not self.in_flight:
            self.last_activity = now
        first = self.sent + 1
        self.sent += len(attempts)
        self.in_flight.update(enumerate(attempts, first))
        if self._place:
            for number, attempt in enumerate(attempts, first):
                self._place.assign(number, attempt)
        requests = [(number, attempt.task.payload, attempt.memory) for number, attempt in enumerate(attempts, first)]
        self._outbox += request_frame(requests)
        self.send()

    def send(self) -> None:
        """Write as much as the pipe accepts."""
        try:
            while self._outbox:
                del self._outbox[: self.pipe.send(self._outbox)]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self._outbox.clear()  # it has died: its exit will be reported

    def receive(self) -> list[Message]:
        """Return the messages that have arrived; sets ``at_eof`` if the worker has closed its end."""
        return self._reader.messages(self._read() or b"")

    def drain(self, *, timeout: float = 0.0) -> list[Message]:
        """Return all messages that a dying worker left in the pipe; wait up to ``timeout`` seconds for each."""
        self.pipe.settimeout(timeout)
        messages: list[Message] = []
        while data := self._read():
            messages += self._reader.messages(data)
        return messages

    def _read(self) -> bytes | None:
        """Return the data in the pipe: ``None`` if there is none yet, empty at the end."""
        try:
            data = self.pipe.recv(_RECEIVE_SIZE)
        except (BlockingIOError, TimeoutError):
            return None
        except ConnectionResetError:
            data = b""
        self.at_eof = self.at_eof or not data
        self.has_started = self.has_started or bool(data)
        return data

    def complete(self, result: TaskResult, now: float) -> Attempt | None:
        """Remove the attempt that ``result`` belongs to, and return it; ``None`` if it is not in flight."""
        self._prefetch.record(result.seconds)
        self.last_activity = now
        self.has_isolated = False
        if self._place:
            self._place.end(result.number, has_failed=result.failure is not None)
        return self.in_flight.pop(result.number, None)

    def current(self) -> tuple[int, Attempt] | None:
        """Return the attempt that the worker is working on, with its sequence number."""
        number = self.status_slot.number
        attempt = self.in_flight.get(number)
        return None if attempt is None else (number, attempt)

    def at_work(self) -> dict[int, Attempt]:
        """Return the attempts that the worker is working on, by sequence number: several, if it handles them together."""
        first, last = self.status_slot.number, self.status_slot.last_started
        return {number: attempt for number, attempt in self.in_flight.items() if first <= number <= last}

    def status(self, now: float) -> WorkerStatus:
        """Return what the worker is working on."""
        current, progress, memory = self.current(), self.status_slot.current_task(), self.status_slot.memory
        if current is None or current[0] != progress.number:
            return WorkerStatus(pid=self.pid, memory=memory)
        key, seconds = current[1].task.key, now - progress.began
        return WorkerStatus(pid=self.pid, memory=memory, key=key, stage=progress.stage, seconds=seconds)

    def elapsed(self, now: float, suspended: float) -> float | None:
        """Return how long the current attempt has been running, ``None`` if there is none.

        Call regularly. ``suspended``: the seconds since the last call during which the whole run was stopped; they do not count.
        """
        if self.current() is None:
            self.last_activity += suspended
            return None
        progress = self.status_slot.current_task()
        if progress.number != self._timed_number:
            self._timed_number, self._suspended = progress.number, 0.0
        self._suspended = max(0.0, min(self._suspended + suspended, now - progress.began))  # it may have begun since ``now``
        return now - progress.began - self._suspended

    def cancel_pending(self, now: float) -> None:
        """Cancel the attempts that have not begun.

        The worker confirms each one when it reaches it; ``collect_cancelled`` may return them sooner.
        """
        self._cancel_requested = (self.status_slot.last_started, now)
        self.status_slot.cancel_up_to(self.sent)

    def collect_cancelled(self, now: float) -> list[Attempt]:
        """Return the attempts cancelled by ``cancel_pending`` without waiting for the worker to confirm each one.

        The worker first writes to the status slot which request it begins, and then checks whether that one is cancelled. We wrote
        the cancellation first, and now check which request it began last. If that is the same as when we cancelled, a millisecond
        ago (an eternity for a store buffer), then the worker has not begun another one, and will see the cancellation when it does.
        """
        if self._cancel_requested is None or now - self._cancel_requested[1] < _CANCEL_GRACE:
            return []
        number, self._cancel_requested = self._cancel_requested[0], None
        if self.status_slot.last_started != number or number not in self.in_flight:
            return []
        cancelled = [attempt for later in list(self.in_flight) if later > number and (attempt := self.take_back(later))]
        self.has_isolated = self.has_isolated and bool(self.in_flight)
        return cancelled

    def take_back(self, number: int) -> Attempt | None:
        """Remove the attempt ``number``, which was cancelled before it began, and return it; ``None`` if it is not in flight."""
        if self._place:
            self._place.forget(number)
        return self.in_flight.pop(number, None)

    def retire(self, now: float) -> None:
        """Send no more attempts; close our end of the pipe once all are answered, so that the worker exits."""
        self.is_retiring = True
        if self.in_flight or self.is_shutting_down:
            return
        self.is_shutting_down = True
        self.last_activity = now
        with suppress(OSError):  # it may just have died
            self.pipe.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the pipe and the status slot."""
        self.pipe.close()
        self.status_slot.close()
        if self._place:
            self._place.close()
