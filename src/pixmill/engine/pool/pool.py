"""The local crew at work: attempts go in, reports come out, whatever becomes of the workers.

Every worker has a pipe of its own, so a death can disturb nobody else. A worker shows on its beacon what it is at: who is to
blame for a death is read off, not guessed.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence

from pixmill.engine.executor import Completed, ExecutorEvent, Lost, Returned, WorkerStatus
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import Cancelled, LoadFailed, Message, TaskResult
from pixmill.engine.policy import Policy
from pixmill.engine.pool.supervisor import Supervisor, WorkerExit
from pixmill.engine.pool.worker_handle import WorkerHandle
from pixmill.engine.task import Attempt

_TICK = 0.25
_CANCEL_POLL = 0.002
_MAX_COALESCING_DELAY = 0.02
_SUSPEND_THRESHOLD = 2 * _TICK
_CHECK_INTERVAL = 0.05
_STEAL_AFTER = 0.02


class Pool:
    """Workers on this machine, as many as ``workers``. The methods are those of ``Executor``."""

    def __init__(self, handler: HandlerRef, policy: Policy, *, workers: int) -> None:
        """Bring the workers up; they load the handler while the caller goes on."""
        self._policy = policy
        self._queue: deque[Attempt] = deque()
        self._isolated_queue: deque[Attempt] = deque()
        self._reports: list[ExecutorEvent] = []
        self._is_cancelling = False
        self._last_poll = self._last_check = time.monotonic()
        self._pause = 0.0
        self._supervisor = Supervisor(handler, size=workers, timeout=policy.timeout, on_messages=self._on_messages)

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        free = sum(worker.free() for worker in self._supervisor)
        return max(0, free - len(self._queue) - len(self._isolated_queue))

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts; one that is ``alone`` waits for a fresh worker."""
        self._is_cancelling = False
        for attempt in attempts:
            (self._isolated_queue if attempt.isolated else self._queue).append(attempt)
        self._dispatch(time.monotonic())

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return what has happened, waiting for something to. ``RunError`` when workers die as fast as they start."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            pause = self._longest_pause(end)
            time.sleep(self._coalescing_delay(pause))
            for death in self._supervisor.poll(pause):
                self._on_worker_exit(death)
            now = time.monotonic()
            self._housekeeping(now)
            if self._reports or (end is not None and now >= end):
                reports, self._reports = self._reports, []
                return reports

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what each worker is at, read off its beacon."""
        now = time.monotonic()
        return tuple(worker.status(now) for worker in self._supervisor)

    def cancel_pending(self) -> None:
        """Ask back what has not begun."""
        self._is_cancelling = True
        self._requeue([*self._queue, *self._isolated_queue])
        self._queue.clear()
        self._isolated_queue.clear()
        now = time.monotonic()
        for worker in self._supervisor:
            if worker.in_flight:
                worker.cancel_pending(now)

    def close(self) -> None:
        """Kill and reap everybody."""
        self._supervisor.close()

    def _longest_pause(self, end: float | None) -> float:
        if self._reports:
            return 0.0
        pause = _CANCEL_POLL if any(worker.has_pending_cancel for worker in self._supervisor) else _TICK
        return pause if end is None else max(0.0, min(pause, end - time.monotonic()))

    def _coalescing_delay(self, pause: float) -> float:
        """Return for how long nobody needs us: answers that come meanwhile cost one turn of the loop instead of one each."""
        reserve = min((worker.queued_seconds() for worker in self._supervisor), default=0.0)
        return min(_MAX_COALESCING_DELAY, reserve / 3, pause)

    def _housekeeping(self, now: float) -> None:
        """Do what is due between two waits: take back, replace, retire, place, rebalance, enforce deadlines."""
        for worker in self._supervisor:
            if worker.has_pending_cancel:
                self._requeue(worker.collect_cancelled(now))
        if self._supervisor.spawn_missing() or self._queue or self._isolated_queue:
            self._dispatch(now)
        gap, self._last_poll = now - self._last_poll, now
        if gap > _SUSPEND_THRESHOLD:
            self._pause += gap - _TICK
        if now - self._last_check > _CHECK_INTERVAL:
            self._last_check = now
            self._supervisor.enforce_deadlines(now, self._pause)
            self._pause = 0.0
            self._steal_work(now)
            for worker in self._supervisor:
                self._recycle_if_worn(worker, now)

    def _on_messages(self, worker: WorkerHandle, messages: Iterable[Message]) -> None:
        now = time.monotonic()
        for message in messages:
            match message:
                case TaskResult():
                    self._on_result(worker, message, now)
                case Cancelled():
                    declined = worker.in_flight.pop(message.number, None)
                    self._requeue([declined] if declined else [])
                case LoadFailed():
                    self._supervisor.record_start_error(message.failure)
                case _:
                    worker.last_activity = now
        if worker.is_retiring:
            worker.retire(now)

    def _on_result(self, worker: WorkerHandle, answer: TaskResult, now: float) -> None:
        attempt = worker.answered(answer.number, answer.seconds, now)
        if attempt is None:
            return
        self._supervisor.reset_crash_count()
        self._reports.append(Completed.from_result(answer, attempt=attempt))

    def _on_worker_exit(self, death: WorkerExit) -> None:
        self._requeue(death.unaffected)
        if death.failure:
            self._reports.append(Lost(pid=death.pid, failure=death.failure, attempt=death.culprit))

    def _requeue(self, attempts: Sequence[Attempt]) -> None:
        """Find a new place for attempts that never began; the caller's, when it has recalled them."""
        if self._is_cancelling and attempts:
            self._reports.append(Returned(attempts=tuple(attempts)))
        else:
            for attempt in attempts:
                (self._isolated_queue if attempt.isolated else self._queue).append(attempt)

    def _dispatch(self, now: float) -> None:
        """Give what waits to the members who have room: first the lonely ones, then the others in equal shares."""
        self._dispatch_isolated(now)
        hosts = sorted((worker for worker in self._supervisor if worker.free()), key=lambda worker: len(worker.in_flight))
        while self._queue and hosts:
            worker = hosts.pop(0)
            share = min(worker.free(), -(-len(self._queue) // (len(hosts) + 1)))
            self._send(worker, [self._queue.popleft() for _ in range(share)], now)

    def _dispatch_isolated(self, now: float) -> None:
        for worker in [worker for worker in self._supervisor if worker.is_fresh][: len(self._isolated_queue)]:
            worker.is_exclusive = True
            self._send(worker, [self._isolated_queue.popleft()], now)
        leaving = sum(worker.is_retiring for worker in self._supervisor)
        for worker in sorted((worker for worker in self._supervisor if worker.is_open), key=lambda worker: len(worker.in_flight)):
            if leaving >= len(self._isolated_queue):
                break
            self._retire(worker, now)
            leaving += 1

    def _send(self, worker: WorkerHandle, attempts: Sequence[Attempt], now: float) -> None:
        worker.send_requests(attempts, now)
        if worker.is_sending:
            self._supervisor.watch_writable(worker)

    def _retire(self, worker: WorkerHandle, now: float) -> None:
        """Make place for a fresh worker; what the old one has not begun goes to others."""
        if worker.in_flight:
            worker.cancel_pending(now)
        worker.retire(now)

    def _recycle_if_worn(self, worker: WorkerHandle, now: float) -> None:
        is_old = 0 < self._policy.recycle_tasks <= worker.sent
        if worker.is_open and (is_old or worker.status_slot.growth() > self._policy.recycle_growth):
            worker.retire(now)

    def _steal_work(self, now: float) -> None:
        """When somebody has nothing to do, take back what is stuck behind a long task elsewhere."""
        if not any(worker.is_open and not worker.in_flight for worker in self._supervisor):
            return
        for worker in self._supervisor:
            is_stuck = len(worker.in_flight) > 1 and now - worker.status_slot.progress().began > _STEAL_AFTER
            if is_stuck and not worker.has_pending_cancel and worker.current():
                worker.cancel_pending(now)
