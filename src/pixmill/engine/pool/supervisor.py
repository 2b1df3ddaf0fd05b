"""The lifecycle of the workers: starts, exits, deadlines. ``pool`` decides which attempts they get."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from pixmill.core.errors import RunError
from pixmill.engine.failures import deadline_exceeded, worker_died, worker_stalled
from pixmill.engine.forkserver.client import EXITED, STARTED, ChildEvent, ForkServer
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import Message
from pixmill.engine.ipc.status_file import StatusFile
from pixmill.engine.pool.prefetch import Prefetch
from pixmill.engine.pool.worker_handle import WorkerHandle
from pixmill.engine.resources.cpu import usable_cores
from pixmill.engine.task import Attempt, Failure

_FORK_RETRY_DELAY = 1.0
_MAX_BACKOFF = 1.0
_EXIT_TIMEOUT = 5.0
_START_TIMEOUT = 10.0  # how long a worker may take to start, however short the deadline of a task is
_DRAIN_TIMEOUT = 1.0
_MIN_UNUSED, _MAX_UNUSED = 8, 64  # workers that start or have nothing to do; 278 unread records fill the fork server's pipe
_CPU_TIME_MARGIN = 5.0  # CPU seconds: the deadline must expire well before this limit


class WorkerExit(msgspec.Struct, frozen=True):
    """A worker has exited, because of ``failure`` unless it was shut down.

    ``culprit`` is the attempt that it was working on; those in ``unaffected`` had not begun, or were computed but not committed. If
    it was working on several together, there is no culprit yet: these are in ``unaffected``, to be tried again in isolation.
    """

    pid: int
    failure: Failure | None
    culprit: Attempt | None
    unaffected: tuple[Attempt, ...]


class Supervisor:
    """Keeps up to ``size`` workers alive, kills workers past their deadline, and reaps those that exit.

    Of many workers, only some start at once, and the others as soon as these have something to do. So there are never many more
    workers than tasks, and never so many requests to the fork server that it and we wait for each other.

    ``on_messages`` receives the messages of workers; ``poll`` calls it.
    """

    def __init__(
        self,
        handler: HandlerRef,
        *,
        size: int,
        timeout: float,
        on_messages: Callable[[WorkerHandle, list[Message]], None],
        status_file: StatusFile | None = None,
    ) -> None:
        """Start the fork server and request workers, without waiting. ``RunError`` if no process can be started."""
        self._handler = handler
        self._status_file = status_file
        self._timeout = timeout
        self._on_messages = on_messages
        self._workers: dict[int, WorkerHandle] = {}
        self._last_number = 0
        self._size = size
        self._max_unused = max(_MIN_UNUSED, min(_MAX_UNUSED, 2 * usable_cores()))
        self._max_crashes = min(size, self._max_unused) + 3
        self._crash_count = 0
        self._backoff_until = 0.0
        self._selector = selectors.DefaultSelector()
        self._exits: list[WorkerExit] = []
        self._start_error: Failure | None = None
        self._fork_server = self._open_fork_server()
        try:
            self.spawn_missing()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[WorkerHandle]:
        """Yield the workers that have not exited."""
        return iter(self._workers.values())

    def spawn_missing(self) -> bool:
        """Request workers that are missing and needed, unless backing off; return whether any were requested.

        ``RunError`` if workers die as soon as they start.
        """
        if len(self._workers) >= self._size:
            return False
        if self._crash_count >= self._max_crashes:
            self._raise_crash_loop()
        now = time.monotonic()
        if now < self._backoff_until:
            return False
        unused = sum(worker.pid == 0 or not worker.in_flight for worker in self._workers.values())
        missing = min(self._size - len(self._workers), self._max_unused - unused)
        for _ in range(missing):
            if not self._spawn(now):
                break
        return missing > 0

    def poll(self, timeout: float) -> list[WorkerExit]:
        """Wait up to ``timeout`` seconds for messages and events, handle them, and return the workers that have exited."""
        for key, events in self._selector.select(timeout):
            if key.data is None:
                self._on_fork_server_readable()
            elif key.data.number in self._workers:
                self._serve(key.data, events)
        exits, self._exits = self._exits, []
        return exits

    def watch_writable(self, worker: WorkerHandle) -> None:
        """Poll the worker's pipe for writability as long as there is data to send."""
        if worker.pipe in self._selector.get_map():
            write_event = selectors.EVENT_WRITE if worker.is_sending else 0
            self._selector.modify(worker.pipe, selectors.EVENT_READ | write_event, worker)

    def enforce_deadlines(self, now: float, suspended: float) -> None:
        """Kill workers past their deadline; the fork server, too, if one that has not started waits for a broker that hangs.

        ``suspended``: for how many seconds since the last call, up to ``now``, the whole run was stopped.
        """
        is_broker_stuck = False
        for worker in self._workers.values():
            elapsed = worker.elapsed(now, suspended)
            if worker.kill_reason:
                continue
            idle = now - worker.last_activity
            is_leaving = worker.is_shutting_down or worker.at_eof
            limit = self._timeout if worker.has_started else max(self._timeout, _START_TIMEOUT, self._handler.load_timeout)
            tasks = len(worker.at_work()) if self._handler.batch_size > 1 else 1
            if elapsed is not None and elapsed > self._timeout * tasks:
                self._kill(worker, deadline_exceeded(self._timeout * tasks, stage=worker.status_slot.current_task().stage))
            elif elapsed is None and (is_leaving or worker.in_flight) and idle > (_EXIT_TIMEOUT if is_leaving else limit):
                self._kill(worker, worker_stalled(idle))
                is_broker_stuck = is_broker_stuck or not (self._handler.broker is None or worker.has_started)
        if is_broker_stuck:
            self._crash_count += 1
            self._restart_fork_server(blames=False)

    def _kill(self, worker: WorkerHandle, reason: Failure) -> None:
        worker.kill_reason = reason
        with suppress(OSError):  # the fork server has just died, and its workers with it
            self._fork_server.kill(worker.number)

    def reset_crash_count(self) -> None:
        """Reset the crash count, since a worker has completed a task."""
        self._crash_count = 0
        self._start_error = None

    def record_start_error(self, failure: Failure) -> None:
        """Record why a worker could not start."""
        self._start_error = failure

    def close(self) -> None:
        """Have idle workers end, for as long as their handler may take to close, then kill and reap all workers."""
        if self._handler.close_timeout:
            self._dismiss_idle()
        is_orderly = self._fork_server.close()
        for worker in self._workers.values():
            if not is_orderly:
                _drain_and_kill(worker)
            worker.close()
        self._workers.clear()
        self._selector.close()

    def _dismiss_idle(self) -> None:
        deadline = time.monotonic() + self._handler.close_timeout
        idle = [worker for worker in self if worker.has_started and not worker.in_flight]
        for worker in idle:
            worker.retire(time.monotonic())
        with suppress(RunError):  # from the fork server: what is left is killed next
            while any(worker.number in self._workers for worker in idle) and (left := deadline - time.monotonic()) > 0:
                self.poll(left)

    def _open_fork_server(self) -> ForkServer:
        fork_server = ForkServer(self._handler, processor_time=self._timeout * max(2, usable_cores()) + _CPU_TIME_MARGIN)
        self._selector.register(fork_server.pipe, selectors.EVENT_READ, None)
        return fork_server

    def _spawn(self, now: float) -> bool:
        self._last_number += 1
        prefetch = Prefetch(batch_size=self._handler.batch_size, ahead=self._handler.read_ahead)
        try:
            worker = WorkerHandle.spawn(self._fork_server, self._last_number, now, prefetch, self._status_file)
        except (BrokenPipeError, ConnectionResetError):
            return False  # the fork server has died: the next poll handles that
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
            for event in self._fork_server.events():
                self._on_child_event(event)
        except ConnectionResetError:
            self._crash_count += 1
            self._restart_fork_server()

    def _on_child_event(self, event: ChildEvent) -> None:
        worker = self._workers.get(event.number)
        if worker is None:
            return
        if event.kind == STARTED:
            worker.pid = event.value
            return
        self._on_messages(worker, worker.drain())
        if event.kind == EXITED:
            self._remove_exited(worker, self._exit_failure(worker, event.value, event.memory))
        else:
            self._remove_exited(worker, None)
            self._on_fork_failed(os.strerror(event.value))

    def _exit_failure(self, worker: WorkerHandle, status: int, memory: int) -> Failure | None:
        if worker.kill_reason:
            return replace(worker.kill_reason, peak_rss=memory, trace=worker.status_slot.output())
        if worker.is_shutting_down and not worker.in_flight:
            return None
        return worker_died(status, stage=worker.status_slot.current_task().stage, peak_rss=memory, log=worker.status_slot.output())

    def _remove_exited(self, worker: WorkerHandle, failure: Failure | None, *, is_culprit_known: bool = True) -> None:
        del self._workers[worker.number]
        self._stop_listening(worker)
        current = worker.current() if is_culprit_known else None
        if self._handler.batch_size > 1 and len(suspects := worker.at_work()) > 1:
            current = None
            worker.in_flight.update({number: replace(attempt, isolated=True) for number, attempt in suspects.items()})
        if current:
            del worker.in_flight[current[0]]
        elif failure:
            self._count_crash(failure)
        self._exits.append(WorkerExit(worker.pid, failure, current[1] if current else None, tuple(worker.in_flight.values())))
        worker.close()

    def _stop_listening(self, worker: WorkerHandle) -> None:
        with suppress(KeyError):  # its end of the pipe was closed before its exit was reported
            self._selector.unregister(worker.pipe)

    def _count_crash(self, failure: Failure) -> None:
        """Count an exit without a culprit, and wait longer after each one, to avoid a busy loop."""
        self._crash_count += 1
        self._start_error = self._start_error or failure
        self._backoff_until = time.monotonic() + min(_MAX_BACKOFF, 0.005 * 2**self._crash_count)

    def _on_fork_failed(self, reason: str) -> None:
        """Continue with the existing workers and retry the fork later; ``RunError`` if there are none."""
        self._backoff_until = time.monotonic() + _FORK_RETRY_DELAY
        if not self._workers:
            raise RunError(f"cannot start a worker process: {reason}", hint="check the limits on processes and open files")

    def _restart_fork_server(self, *, blames: bool = True) -> None:
        """Reap all workers, which died with their parent, and start a new fork server.

        If it ``blames``, what each worker was working on counts as the cause; otherwise all of it is tried again.
        """
        failure = Failure(code="crash", stage="", message="the process that starts the workers died", trace=self._fork_server.log())
        self._start_error = self._start_error or failure
        self._selector.unregister(self._fork_server.pipe)
        self._fork_server.close()
        for worker in list(self._workers.values()):
            self._on_messages(worker, _drain_and_kill(worker))
            self._remove_exited(worker, failure if blames and worker.current() else None, is_culprit_known=blames)
        if self._crash_count >= self._max_crashes:
            self._raise_crash_loop()
        self._fork_server = self._open_fork_server()

    def _raise_crash_loop(self) -> None:
        cause = self._start_error or Failure(code="crash", stage="", message="unknown reason")
        last_line = cause.trace.strip().splitlines()[-1:] if cause.stage != "load" else []
        raise RunError(
            "; ".join([f"the workers die as soon as they start: {cause.message}", *last_line]),
            hint=cause.hint or "run the handler in a plain Python process to see the full error",
        )


def _drain_and_kill(worker: WorkerHandle) -> list[Message]:
    """Return the last messages of a worker whose parent has died.

    It dies with its parent if the system supports that, and is killed here otherwise. If we are PID 1, we must reap it.
    """
    messages = worker.drain(timeout=_DRAIN_TIMEOUT)
    if worker.pid and not worker.at_eof:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(worker.pid, signal.SIGKILL)
    if worker.pid:
        with suppress(ChildProcessError):
            os.waitpid(worker.pid, 0)
    return messages
