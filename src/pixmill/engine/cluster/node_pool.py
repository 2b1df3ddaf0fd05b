"""The worker pool of one node, with a small reserve of attempts that hides the round trip to the coordinator."""

import time
from collections import deque
from collections.abc import Sequence

from pixmill.core.units import ByteSize
from pixmill.engine.cluster.messages import Reply, RunTasks, StartPool, WorkerDeath
from pixmill.engine.executor import Completed, ExecutorEvent, Lost, Returned
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.engine.pool.prefetch import Prefetch
from pixmill.engine.resources.memory import MemoryBudget, usable_memory, workers_with_memory, workers_within_memory
from pixmill.engine.resources.pids import available_processes, workers_within_process_limit
from pixmill.engine.task import Attempt

#: seconds of work in reserve: the time that a request and its reply may take between busy machines
_RESERVE_SECONDS = 0.15
#: seconds for which events are collected while the workers are busy: a message costs the coordinator more than an event
_COLLECT_TIME = 0.05


class NodePool:
    """Handles requests, all within the call: between two calls only the workers run."""

    def __init__(self, start: StartPool) -> None:
        """Start the workers. ``RunError`` when none can be started."""
        handler, policy = start.handler, Policy.from_builtins(start.policy)
        if start.sharing > 1:
            policy = policy.evolve(memory=ByteSize(int(policy.memory or usable_memory()) // start.sharing))
        held, memory = handler.held_memory, int(policy.memory or usable_memory())
        affordable = workers_within_memory(start.cores, handler.per_core, memory, held=held)
        wanted = workers_with_memory(start.workers or affordable, policy.memory, held=held)
        self._workers = workers_within_process_limit(wanted, threads=handler.threads, available=available_processes())
        self._memory = MemoryBudget(policy.memory, self._workers, held=held, batch_size=handler.batch_size)
        self._pool = Pool(handler, policy, workers=self._workers)
        self._numbers: dict[bytes, int] = {}
        self._reserve: deque[Attempt] = deque()
        self._prefetch = Prefetch(target_seconds=_RESERVE_SECONDS)
        self._returned: list[int] = []

    def run(self, request: RunTasks) -> Reply:
        """Accept the attempts of ``request`` and return what has happened. ``RunError`` when workers keep dying at startup."""
        for number, attempt in request.requests:
            self._numbers[attempt.task.key] = number
            self._reserve.append(self._with_memory(attempt))
        if request.cancel:
            self._give_back(self._reserve)
            self._reserve.clear()
            self._pool.cancel_pending()
        return self._reply(self._collect(request.timeout))

    def state(self) -> Reply:
        """Return the current state without waiting."""
        return self._reply([])

    def close(self) -> None:
        """Kill and reap every worker."""
        self._pool.close()

    def _with_memory(self, attempt: Attempt) -> Attempt:
        """Set the memory limit of ``attempt`` on this node: the coordinator knows only its own machine's memory."""
        return self._memory.with_all(attempt) if attempt.exclusive else self._memory.with_share([attempt])[0]

    def _collect(self, timeout: float) -> list[ExecutorEvent]:
        """Wait for events; while the workers have enough to do, go on a little after the first one."""
        end = time.monotonic() + timeout
        events: list[ExecutorEvent] = []
        while True:
            self._fill_pool()
            new = self._pool.wait(max(0.0, 0.0 if self._returned else end - time.monotonic()))
            for event in new:
                if isinstance(event, Completed):
                    self._prefetch.record(event.seconds / self._workers)
            now = time.monotonic()
            if new and not events:
                end = min(end, now + _COLLECT_TIME)
            events += new
            if now >= end or self._returned or (events and 2 * len(self._reserve) <= self._prefetch.depth):
                return events

    def _fill_pool(self) -> None:
        """Submit as many attempts as the pool accepts."""
        count = min(self._pool.capacity(), len(self._reserve))
        if count:
            self._pool.submit([self._reserve.popleft() for _ in range(count)])

    def _give_back(self, attempts: Sequence[Attempt] | deque[Attempt]) -> None:
        self._returned += [self._numbers.pop(attempt.task.key) for attempt in attempts]

    def _reply(self, events: Sequence[ExecutorEvent]) -> Reply:
        results, deaths = [], []
        for event in events:
            match event:
                case Completed():
                    results.append(self._result(event))
                case Lost(pid=pid, failure=failure, attempt=attempt):
                    number = self._numbers.pop(attempt.task.key) if attempt else None
                    deaths.append(WorkerDeath(pid, failure, number))
                case Returned(attempts=attempts):
                    self._give_back(attempts)
        self._fill_pool()
        returned, self._returned = tuple(self._returned), []
        free = max(0, self._prefetch.depth - len(self._reserve))
        return Reply(
            workers=self._workers,
            memory=self._memory.exclusive_limit,
            capacity=free if self._reserve else free + self._pool.capacity(),
            results=tuple(results),
            deaths=tuple(deaths),
            returned=returned,
            statuses=self._pool.worker_statuses(),
        )

    def _result(self, completed: Completed) -> TaskResult:
        return TaskResult(
            number=self._numbers.pop(completed.attempt.task.key),
            result=completed.result,
            failure=completed.failure,
            seconds=completed.seconds,
            timings=completed.timings,
            measures=completed.measures,
        )
