"""The pool of one node, and the small reserve of attempts that hides the way to the coordinator and back."""

import time
from collections import deque
from collections.abc import Sequence

from pixmill.engine.cluster.messages import Reply, RunTasks, StartPool, WorkerDeath
from pixmill.engine.executor import Completed, ExecutorEvent, Lost, Returned
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.engine.pool.prefetch import Prefetch
from pixmill.engine.resources.memory import MemoryBudget, usable_memory, workers_within_memory
from pixmill.engine.resources.pids import available_processes, workers_within_process_limit
from pixmill.engine.task import Attempt

#: seconds of work in reserve: what a letter and its reply may take between busy machines
_RESERVE = 0.15
#: how long reports are gathered while there is work enough: a letter costs the coordinator more than a report
_COLLECT_TIME = 0.05


class NodePool:
    """Does what letters ask, within each call: nothing happens between two letters but the work itself."""

    def __init__(self, engagement: StartPool) -> None:
        """Bring the workers up. ``RunError`` when none can be."""
        handler, policy = engagement.handler, Policy.from_builtins(engagement.policy)
        affordable = workers_within_memory(engagement.cores, handler.per_core, int(policy.memory or usable_memory()))
        self._workers = workers_within_process_limit(
            engagement.workers or affordable, threads=handler.threads, available=available_processes()
        )
        self._memory = MemoryBudget(policy.memory, self._workers)
        self._pool = Pool(handler, policy, workers=self._workers)
        self._numbers: dict[bytes, int] = {}
        self._reserve: deque[Attempt] = deque()
        self._ahead = Prefetch(target_seconds=_RESERVE)
        self._returned: list[int] = []

    def work(self, letter: RunTasks) -> Reply:
        """Take what ``letter`` brings and return what has happened. ``RunError`` when workers die as fast as they start."""
        for number, attempt in letter.requests:
            self._numbers[attempt.task.key] = number
            self._reserve.append(self._with_memory(attempt))
        if letter.cancel:
            self._give_back(self._reserve)
            self._reserve.clear()
            self._pool.cancel_pending()
        return self._reply(self._collect(letter.patience))

    def state(self) -> Reply:
        """Return what can be said without waiting."""
        return self._reply([])

    def close(self) -> None:
        """Kill and reap every worker."""
        self._pool.close()

    def _with_memory(self, attempt: Attempt) -> Attempt:
        """Give ``attempt`` what it may use here: the coordinator knows the memory of its own machine only."""
        return self._memory.with_all(attempt) if attempt.exclusive else self._memory.with_share([attempt])[0]

    def _collect(self, patience: float) -> list[ExecutorEvent]:
        """Wait for reports; a little longer than for the first one while the workers have enough to do."""
        end = time.monotonic() + patience
        reports: list[ExecutorEvent] = []
        while True:
            self._fill_pool()
            news = self._pool.wait(max(0.0, 0.0 if self._returned else end - time.monotonic()))
            for report in news:
                if isinstance(report, Completed):
                    self._ahead.record(report.seconds / self._workers)
            now = time.monotonic()
            if news and not reports:
                end = min(end, now + _COLLECT_TIME)
            reports += news
            if now >= end or self._returned or (reports and 2 * len(self._reserve) <= self._ahead.depth):
                return reports

    def _fill_pool(self) -> None:
        """Give the pool what it has room for."""
        count = min(self._pool.capacity(), len(self._reserve))
        if count:
            self._pool.submit([self._reserve.popleft() for _ in range(count)])

    def _give_back(self, attempts: Sequence[Attempt] | deque[Attempt]) -> None:
        self._returned += [self._numbers.pop(attempt.task.key) for attempt in attempts]

    def _reply(self, reports: Sequence[ExecutorEvent]) -> Reply:
        answers, deaths = [], []
        for report in reports:
            match report:
                case Completed():
                    answers.append(self._result(report))
                case Lost(pid=pid, failure=failure, attempt=attempt):
                    number = self._numbers.pop(attempt.task.key) if attempt else None
                    deaths.append(WorkerDeath(pid, failure, number))
                case Returned(attempts=attempts):
                    self._give_back(attempts)
        self._fill_pool()
        returned, self._returned = tuple(self._returned), []
        room = max(0, self._ahead.depth - len(self._reserve))
        return Reply(
            workers=self._workers,
            memory=self._memory.exclusive_limit,
            capacity=room if self._reserve else room + self._pool.capacity(),
            results=tuple(answers),
            deaths=tuple(deaths),
            returned=returned,
            statuses=self._pool.worker_statuses(),
        )

    def _result(self, report: Completed) -> TaskResult:
        return TaskResult(
            number=self._numbers.pop(report.attempt.task.key),
            result=report.result,
            failure=report.failure,
            seconds=report.seconds,
            timings=report.timings,
            measures=report.measures,
        )
