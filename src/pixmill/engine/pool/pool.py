"""The workers of one machine as a whole: attempts go in, executor events come out, whatever happens to the workers.

Every worker has a pipe of its own, so a crash cannot disturb the others. Each worker publishes its current task in its status
slot, so the task to blame for a crash is read, not guessed.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence

from pixmill.engine.executor import Completed, ExecutorEvent, Lost, Returned, WorkerStatus
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import Cancelled, LoadFailed, Message, TaskResult
from pixmill.engine.ipc.status_file import StatusFile
from pixmill.engine.policy import Policy
from pixmill.engine.pool.supervisor import Supervisor, WorkerExit
from pixmill.engine.pool.worker_handle import WorkerHandle
from pixmill.engine.task import Attempt

_POLL_INTERVAL = 0.25
_CANCEL_POLL = 0.002
_MAX_COALESCING_DELAY = 0.02
_SUSPEND_THRESHOLD = 2 * _POLL_INTERVAL
_CHECK_INTERVAL = 0.05
_STEAL_AFTER = 0.02


class Pool:
    """The ``workers`` workers of this machine. The methods are those of ``Executor``."""

    def __init__(self, handler: HandlerRef, policy: Policy, *, workers: int, status_file: StatusFile | None = None) -> None:
        """Start the workers; they load the handler in the background. Their status pages are in ``status_file``, if any."""
        self._policy = policy
        self._queue: deque[Attempt] = deque()
        self._isolated_queue: deque[Attempt] = deque()
        self._events: list[ExecutorEvent] = []
        self._is_cancelling = False
        self._last_poll = self._last_check = time.monotonic()
        self._suspended = 0.0
        self._supervisor = Supervisor(
            handler, size=workers, timeout=policy.timeout, on_messages=self._on_messages, status_file=status_file
        )

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        free = sum(worker.free() for worker in self._supervisor)
        return max(0, free - len(self._queue) - len(self._isolated_queue))

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Queue attempts; an ``isolated`` one waits for a fresh worker."""
        self._is_cancelling = False
        for attempt in attempts:
            (self._isolated_queue if attempt.isolated else self._queue).append(attempt)
        self._dispatch(time.monotonic())

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return the events since the last call, waiting for the first; none if there are more workers now.

        ``RunError`` if workers die as soon as they start.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            poll_timeout = self._poll_timeout(deadline)
            if delay := self._coalescing_delay(poll_timeout):
                time.sleep(delay)
            for worker_exit in self._supervisor.poll(poll_timeout):
                self._on_worker_exit(worker_exit)
            now = time.monotonic()
            has_grown = self._housekeeping(now)
            if self._events or has_grown or (deadline is not None and now >= deadline):
                events, self._events = self._events, []
                return events

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what each worker is working on, read from its status slot."""
        now = time.monotonic()
        return tuple(worker.status(now) for worker in self._supervisor)

    def cancel_pending(self) -> None:
        """Cancel the attempts that have not begun; they come back as ``Returned``."""
        self._is_cancelling = True
        self._requeue([*self._queue, *self._isolated_queue])
        self._queue.clear()
        self._isolated_queue.clear()
        now = time.monotonic()
        for worker in self._supervisor:
            if worker.in_flight:
                worker.cancel_pending(now)

    def close(self) -> None:
        """Kill and reap all workers."""
        self._supervisor.close()

    def _poll_timeout(self, deadline: float | None) -> float:
        if self._events:
            return 0.0
        interval = _CANCEL_POLL if any(worker.has_pending_cancel for worker in self._supervisor) else _POLL_INTERVAL
        return interval if deadline is None else max(0.0, min(interval, deadline - time.monotonic()))

    def _coalescing_delay(self, poll_timeout: float) -> float:
        """Return how long no worker will need us: results that arrive meanwhile cost one loop iteration instead of one each."""
        queued_seconds = min((worker.queued_seconds() for worker in self._supervisor), default=0.0)
        return min(_MAX_COALESCING_DELAY, queued_seconds / 3, poll_timeout)

    def _housekeeping(self, now: float) -> bool:
        """Between two waits: collect cancelled attempts, start and recycle workers, dispatch, enforce deadlines, steal work.

        Return whether workers were started.
        """
        for worker in self._supervisor:
            if worker.has_pending_cancel:
                self._requeue(worker.collect_cancelled(now))
        has_grown = self._supervisor.spawn_missing()
        if has_grown or self._queue or self._isolated_queue:
            self._dispatch(now)
        since_last_poll, self._last_poll = now - self._last_poll, now
        if since_last_poll > _SUSPEND_THRESHOLD:
            self._suspended += since_last_poll - _POLL_INTERVAL
        if now - self._last_check > _CHECK_INTERVAL:
            self._last_check = now
            self._supervisor.enforce_deadlines(now, self._suspended)
            self._suspended = 0.0
            self._steal_work(now)
            for worker in self._supervisor:
                self._recycle_if_worn(worker, now)
        return has_grown

    def _on_messages(self, worker: WorkerHandle, messages: Iterable[Message]) -> None:
        now = time.monotonic()
        for message in messages:
            match message:
                case TaskResult():
                    self._on_result(worker, message, now)
                case Cancelled():
                    cancelled = worker.take_back(message.number)
                    self._requeue([cancelled] if cancelled else [])
                case LoadFailed():
                    self._supervisor.record_start_error(message.failure)
                case _:
                    worker.last_activity = now
        if worker.is_retiring:
            worker.retire(now)

    def _on_result(self, worker: WorkerHandle, result: TaskResult, now: float) -> None:
        attempt = worker.complete(result, now)
        if attempt is None:
            return
        self._supervisor.reset_crash_count()
        self._events.append(Completed.from_result(result, attempt=attempt))

    def _on_worker_exit(self, worker_exit: WorkerExit) -> None:
        self._requeue(worker_exit.unaffected)
        if worker_exit.failure:
            self._events.append(Lost(pid=worker_exit.pid, failure=worker_exit.failure, attempt=worker_exit.culprit))

    def _requeue(self, attempts: Sequence[Attempt]) -> None:
        """Queue attempts that never began again; return them to the caller instead if it has cancelled them."""
        if self._is_cancelling and attempts:
            self._events.append(Returned(attempts=tuple(attempts)))
        else:
            for attempt in attempts:
                (self._isolated_queue if attempt.isolated else self._queue).append(attempt)

    def _dispatch(self, now: float) -> None:
        """Send queued attempts to the workers with free capacity: first the isolated ones, then the others in equal shares."""
        self._dispatch_isolated(now)
        candidates = sorted((worker for worker in self._supervisor if worker.free()), key=lambda worker: len(worker.in_flight))
        while self._queue and candidates:
            worker = candidates.pop(0)
            share = min(worker.free(), -(-len(self._queue) // (len(candidates) + 1)))
            self._send(worker, [self._queue.popleft() for _ in range(share)], now)

    def _dispatch_isolated(self, now: float) -> None:
        for worker in [worker for worker in self._supervisor if worker.is_fresh][: len(self._isolated_queue)]:
            worker.has_isolated = True
            self._send(worker, [self._isolated_queue.popleft()], now)
        retiring = sum(worker.is_retiring for worker in self._supervisor)
        for worker in sorted((worker for worker in self._supervisor if worker.is_open), key=lambda worker: len(worker.in_flight)):
            if retiring >= len(self._isolated_queue):
                break
            self._retire(worker, now)
            retiring += 1

    def _send(self, worker: WorkerHandle, attempts: Sequence[Attempt], now: float) -> None:
        worker.send_requests(attempts, now)
        if worker.is_sending:
            self._supervisor.watch_writable(worker)

    def _retire(self, worker: WorkerHandle, now: float) -> None:
        """Retire ``worker`` so that a fresh one replaces it; other workers get the attempts that it has not begun."""
        if worker.in_flight:
            worker.cancel_pending(now)
        worker.retire(now)

    def _recycle_if_worn(self, worker: WorkerHandle, now: float) -> None:
        is_old = 0 < self._policy.recycle_tasks <= worker.sent
        if worker.is_open and (is_old or worker.status_slot.growth() > self._policy.recycle_growth):
            worker.retire(now)

    def _steal_work(self, now: float) -> None:
        """If a worker is idle, take back attempts that are stuck behind a long task of another worker."""
        if not any(worker.is_open and not worker.in_flight for worker in self._supervisor):
            return
        for worker in self._supervisor:
            is_stuck = len(worker.in_flight) > 1 and now - worker.status_slot.current_task().began > _STEAL_AFTER
            if is_stuck and not worker.has_pending_cancel and worker.current():
                worker.cancel_pending(now)
