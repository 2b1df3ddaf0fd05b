"""The workers that live: births, deaths, deadlines. What is done with attempts is ``pool``'s business."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import RunError
from pixmill.engine.failures import deadline_exceeded, worker_died, worker_stalled
from pixmill.engine.forkserver.client import EXITED, STARTED, ChildEvent, ForkServer
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import Message
from pixmill.engine.pool.worker_handle import WorkerHandle
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.task import Attempt, Failure

_FORK_RETRY_DELAY = 1.0
_MAX_BACKOFF = 1.0
_EXIT_TIMEOUT = 5.0
_DRAIN_TIMEOUT = 1.0
_CPU_TIME_MARGIN = 5.0  # of the processor: the deadline, which is a worker's first, must come well before


class WorkerExit(msgspec.Struct, frozen=True):
    """A worker has ended, of ``failure`` unless it was sent home.

    ``culprit`` is what it was at; ``unaffected`` had not begun, or were computed and not yet settled.
    """

    pid: int
    failure: Failure | None
    culprit: Attempt | None
    unaffected: tuple[Attempt, ...]


class Supervisor:
    """Keeps ``size`` workers alive, kills the ones that are overdue, and buries the dead.

    ``on_messages`` hears what members say; it is called within ``turn``.
    """

    def __init__(
        self, handler: HandlerRef, *, size: int, timeout: float, on_messages: Callable[[WorkerHandle, list[Message]], None]
    ) -> None:
        """Start the nursery and ask for all workers; neither is waited for. ``RunError`` when no process can be started."""
        self._handler = handler
        self._timeout = timeout
        self._on_messages = on_messages
        self._workers: dict[int, WorkerHandle] = {}
        self._last_number = 0
        self._size = size
        self._max_crashes = size + 3
        self._crash_count = 0
        self._backoff_until = 0.0
        self._selector = selectors.DefaultSelector()
        self._deaths: list[WorkerExit] = []
        self._start_error: Failure | None = None
        self._fork_server = self._open_fork_server()
        try:
            self.spawn_missing()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[WorkerHandle]:
        """Yield the living members."""
        return iter(self._workers.values())

    def spawn_missing(self) -> bool:
        """Replace those who have gone; return whether somebody came. ``RunError`` when they die as fast as they start."""
        if len(self._workers) >= self._size:
            return False
        if self._crash_count >= self._max_crashes:
            self._raise_crash_loop()
        now = time.monotonic()
        if now < self._backoff_until:
            return False
        while len(self._workers) < self._size and self._spawn(now):
            pass
        return True

    def poll(self, pause: float) -> list[WorkerExit]:
        """Wait up to ``pause`` seconds for something to happen and return who has died."""
        for key, events in self._selector.select(pause):
            if key.data is None:
                self._on_fork_server_readable()
            elif key.data.number in self._workers:
                self._serve(key.data, events)
        deaths, self._deaths = self._deaths, []
        return deaths

    def watch_writable(self, worker: WorkerHandle) -> None:
        """Watch for room in the member's pipe while there is something to write."""
        if worker.pipe in self._selector.get_map():
            writing = selectors.EVENT_WRITE if worker.is_sending else 0
            self._selector.modify(worker.pipe, selectors.EVENT_READ | writing, worker)

    def enforce_deadlines(self, now: float, pause: float) -> None:
        """Kill who is overdue. ``pause`` is how long the whole run has stood still since the last call, up to ``now``."""
        for worker in self._workers.values():
            elapsed = worker.elapsed(now, pause)
            if worker.kill_reason:
                continue
            idle = now - worker.last_activity
            is_leaving = worker.is_shutting_down or worker.at_eof
            if elapsed is not None and elapsed > self._timeout:
                self._kill(worker, deadline_exceeded(self._timeout, stage=worker.status_slot.progress().stage))
            elif elapsed is None and (is_leaving or worker.in_flight) and idle > (_EXIT_TIMEOUT if is_leaving else self._timeout):
                self._kill(worker, worker_stalled(idle))

    def _kill(self, worker: WorkerHandle, verdict: Failure) -> None:
        worker.kill_reason = verdict
        with suppress(OSError):  # the nursery has just died and its workers with it
            self._fork_server.kill(worker.number)

    def reset_crash_count(self) -> None:
        """Forget the strikes: a worker has answered."""
        self._crash_count = 0
        self._start_error = None

    def record_start_error(self, failure: Failure) -> None:
        """Remember why a worker could not start."""
        self._start_error = failure

    def close(self) -> None:
        """Kill and reap everybody."""
        is_orderly = self._fork_server.close()
        for worker in self._workers.values():
            if not is_orderly:
                _drain_and_kill(worker)
            worker.close()
        self._workers.clear()
        self._selector.close()

    def _open_fork_server(self) -> ForkServer:
        fork_server = ForkServer(self._handler, processor_time=self._timeout * max(2, usable_cores()) + _CPU_TIME_MARGIN)
        self._selector.register(fork_server.pipe, selectors.EVENT_READ, None)
        return fork_server

    def _spawn(self, now: float) -> bool:
        self._last_number += 1
        try:
            worker = WorkerHandle.spawn(self._fork_server, self._last_number, now)
        except (BrokenPipeError, ConnectionResetError):
            return False  # the nursery is gone: the next turn hears of it
        except OSError as error:
            self._on_fork_failed(error.strerror or str(error))
            return False
        self._workers[worker.number] = worker
        self._selector.register(worker.pipe, selectors.EVENT_READ, worker)
        return True

    def _serve(self, worker: WorkerHandle, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            worker.send()
            self.watch_writable(worker)
        if events & selectors.EVENT_READ:
            self._on_messages(worker, worker.receive())
            if worker.at_eof:
                self._stop_listening(worker)
                worker.last_activity = time.monotonic()

    def _on_fork_server_readable(self) -> None:
        try:
            for report in self._fork_server.events():
                self._on_child_event(report)
        except ConnectionResetError:
            self._crash_count += 1
            self._restart_fork_server()

    def _on_child_event(self, report: ChildEvent) -> None:
        worker = self._workers.get(report.number)
        if worker is None:
            return
        if report.kind == STARTED:
            worker.pid = report.value
            return
        self._on_messages(worker, worker.drain())
        if report.kind == EXITED:
            self._remove_exited(worker, self._exit_failure(worker, report.value, report.memory))
        else:
            self._remove_exited(worker, None)
            self._on_fork_failed(os.strerror(report.value))

    def _exit_failure(self, worker: WorkerHandle, status: int, memory: int) -> Failure | None:
        if worker.kill_reason:
            return msgspec.structs.replace(worker.kill_reason, peak_rss=memory, trace=worker.status_slot.output())
        if worker.is_shutting_down and not worker.in_flight:
            return None
        return worker_died(status, stage=worker.status_slot.progress().stage, peak_rss=memory, log=worker.status_slot.output())

    def _remove_exited(self, worker: WorkerHandle, failure: Failure | None) -> None:
        del self._workers[worker.number]
        self._stop_listening(worker)
        current = worker.current()
        if current:
            del worker.in_flight[current[0]]
        elif failure:
            self._count_crash(failure)
        self._deaths.append(WorkerExit(worker.pid, failure, current[1] if current else None, tuple(worker.in_flight.values())))
        worker.close()

    def _stop_listening(self, worker: WorkerHandle) -> None:
        with suppress(KeyError):  # its end was seen before its death was heard of
            self._selector.unregister(worker.pipe)

    def _count_crash(self, failure: Failure) -> None:
        """Count a death without a culprit; rest longer after each, so that nothing spins."""
        self._crash_count += 1
        self._start_error = self._start_error or failure
        self._backoff_until = time.monotonic() + min(_MAX_BACKOFF, 0.005 * 2**self._crash_count)

    def _on_fork_failed(self, reason: str) -> None:
        """No worker could be forked: go on with those there are, and try again later."""
        self._backoff_until = time.monotonic() + _FORK_RETRY_DELAY
        if not self._workers:
            raise RunError(f"cannot start a worker process: {reason}", hint="is there a limit on processes or on open files?")

    def _restart_fork_server(self) -> None:
        """Bury all, for their parent has died and taken them along, and start anew."""
        failure = Failure(code="crash", stage="", message="the process that starts the workers died", trace=self._fork_server.log())
        self._start_error = self._start_error or failure
        self._selector.unregister(self._fork_server.pipe)
        self._fork_server.close()
        for worker in list(self._workers.values()):
            self._on_messages(worker, _drain_and_kill(worker))
            self._remove_exited(worker, failure if worker.current() else None)
        if self._crash_count >= self._max_crashes:
            self._raise_crash_loop()
        self._fork_server = self._open_fork_server()

    def _raise_crash_loop(self) -> None:
        why = self._start_error or Failure(code="crash", stage="", message="no reason is known")
        last_line = why.trace.strip().splitlines()[-1:] if why.stage != "load" else []
        raise RunError(
            "; ".join([f"the workers die as fast as they start: {why.message}", *last_line]),
            hint="run the handler in a plain Python process to see the whole error",
        )


def _drain_and_kill(worker: WorkerHandle) -> list[Message]:
    """Return the last messages of a worker whose parent died.

    It dies with its parent where the system can do that, and is killed where it cannot; when we are PID 1 it is ours to reap.
    """
    messages = worker.drain(patience=_DRAIN_TIMEOUT)
    if worker.pid and not worker.at_eof:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(worker.pid, signal.SIGKILL)
    if worker.pid:
        with suppress(ChildProcessError):
            os.waitpid(worker.pid, 0)
    return messages
