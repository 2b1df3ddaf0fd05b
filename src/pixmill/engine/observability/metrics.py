"""The metrics of a run: an observer that counts events in constant memory, and its snapshots."""

import heapq
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import msgspec

from pixmill.core.events import Event, Observer
from pixmill.engine.events import (
    NodeRefused,
    NodeSuspended,
    RunEnded,
    RunStarted,
    SourceExhausted,
    StoreHeld,
    StoreRecovered,
    TaskFinished,
    TaskFound,
    TaskRetried,
    Throttled,
    WorkerLost,
    WorkersSeen,
)
from pixmill.engine.observability.histogram import Histogram, HistogramSnapshot
from pixmill.engine.observability.tally import Tally
from pixmill.engine.task import UNCHANGED, Counts, Done, Failure, Outcome, Skipped, Task

WINDOW = 10  # seconds over which the recent rate is measured
EXAMPLES = 3  # keys kept for each kind of failure
SLOWEST = 5  # number of slowest tasks kept


class FailureKind(msgspec.Struct, frozen=True, kw_only=True):
    """The failures with one code: their number, and the ``keys`` of the first few.

    ``kinds`` counts them by the kind of thing that failed, where their evidence names one.
    """

    count: int = 0
    keys: tuple[bytes, ...] = ()
    kinds: dict[str, int] = {}

    def plus(self, *keys: bytes, kind: str = "") -> "FailureKind":
        """Return this with another failure of each of ``keys``, all of this ``kind``."""
        kinds = {**self.kinds, kind: self.kinds.get(kind, 0) + len(keys)} if kind else self.kinds
        return FailureKind(count=self.count + len(keys), keys=(*self.keys, *keys)[:EXAMPLES], kinds=kinds)


class SlowTask(msgspec.Struct, frozen=True, kw_only=True):
    """One of the slowest tasks, with its seconds by the worker's clock."""

    key: bytes
    seconds: float


class MetricsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics at one moment.

    ``seconds`` since the run started. ``found`` may still grow unless ``all_found``. ``tried`` counts the tasks that were actually
    run to an outcome, without ``skipped`` ones and ``remembered`` failures; ``rate`` is ``tried`` per second over the run,
    ``recent_rate`` over the last 10 s. ``measures`` are the sums of the handlers' counts (``bytes_in``, ...). ``throttled`` counts
    the requests that a storage refused. ``left_alone`` counts the tasks that were skipped for another reason than being done and
    unchanged, by reason; ``left_alone_keys`` are the first few of each.
    ``held`` tells whether work waits for a store at the moment, ``held_seconds`` for how long it has waited in all, up to the last
    recovery.
    On a cluster, ``nodes_left_out`` counts the nodes that were refused or suspended, and ``node_failures`` the failed attempts,
    final or not, by node.
    ``task`` has the durations of whole tasks, ``stages`` those of each stage; ``slowest`` are the five slowest done tasks, the
    slowest first. ``reason`` is why the run ended, empty while it goes on, and
    ``reason_code`` the code of the error that stopped it.

    As of the last ``WorkersSeen``: the number of tasks being run (``in_flight``), the seconds since the oldest of them started
    (``oldest``), and the resident memory in bytes of the coordinator and of all workers. ``finished_at`` is when the last task
    ended, in seconds since the epoch, 0 when none has.
    """

    run: int = 0
    workers: int = 0
    seconds: float = 0.0
    found: int = 0
    all_found: bool = False
    done: int = 0
    skipped: int = 0
    failed: int = 0
    remembered: int = 0
    retries: int = 0
    throttled: int = 0
    held: bool = False
    held_seconds: float = 0.0
    workers_lost: int = 0
    nodes_left_out: int = 0
    node_failures: dict[str, int] = {}
    rate: float = 0.0
    recent_rate: float = 0.0
    measures: dict[str, int] = {}
    failures: dict[str, FailureKind] = {}
    left_alone: dict[str, int] = {}
    left_alone_keys: dict[str, tuple[bytes, ...]] = {}
    task: HistogramSnapshot = HistogramSnapshot()
    stages: dict[str, HistogramSnapshot] = {}
    slowest: tuple[SlowTask, ...] = ()
    in_flight: int = 0
    oldest: float = 0.0
    coordinator_memory: int = 0
    workers_memory: int = 0
    finished_at: float = 0.0
    reason: str = ""
    reason_code: str = ""

    @property
    def tried(self) -> int:
        """Return the number of tasks that were actually run to an outcome."""
        return self.done + self.failed - self.remembered

    @property
    def pending(self) -> int:
        """Return the number of tasks that were found and have no outcome yet."""
        return self.found - self.done - self.skipped - self.failed

    @property
    def counts(self) -> Counts:
        """Return the numbers of tasks by state, which add up to ``found``."""
        return Counts(done=self.done, skipped=self.skipped, failed=self.failed, pending=self.pending)


class _LatestValues(TypedDict, total=False):
    held: bool
    held_seconds: float
    run: int
    workers: int
    all_found: bool
    in_flight: int
    oldest: float
    coordinator_memory: int
    workers_memory: int
    finished_at: float
    reason: str
    reason_code: str


class Metrics(Observer):
    """Counts events. ``clock`` returns monotonic seconds.

    One other thread may call ``snapshot``; its numbers may then come from two moments that lie close together.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at zero."""
        self._clock = clock
        self._started_at = clock()
        self._ended_at: float | None = None
        self._latest: _LatestValues = {}
        self._tally = Tally()
        self._counts = self._tally.counts
        self._failures: dict[str, FailureKind] = {}
        self._left_alone_keys: dict[str, tuple[bytes, ...]] = {}
        self._node_failures: Counter[str] = Counter()
        self._task = Histogram()
        self._stages: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._slowest: list[tuple[float, bytes]] = []
        self._recent_rate = _RecentRate()
        # two events per task, a million tasks: functools.singledispatchmethod costs ten times as much as the counting
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            RunStarted: self._on_run_started,
            TaskFound: self._on_task_found,
            SourceExhausted: self._on_source_exhausted,
            TaskRetried: self._on_task_retried,
            Throttled: self._on_throttled,
            StoreHeld: self._on_store_held,
            StoreRecovered: self._on_store_recovered,
            WorkerLost: self._on_worker_lost,
            WorkersSeen: self._on_workers_seen,
            TaskFinished: self._on_task_finished,
            NodeRefused: self._on_node_left_out,
            NodeSuspended: self._on_node_left_out,
            RunEnded: self._on_run_ended,
        }

    def on_event(self, event: Event) -> None:
        """Count ``event``; other kinds are ignored."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:
        """Count tasks that were found to be unchanged."""
        self._counts["found"] += len(tasks)
        self._tally.add_unchanged(len(tasks))
        self._latest["finished_at"] = at

    def close(self) -> None:
        """Do nothing: the metrics can still be read."""

    def snapshot(self) -> MetricsSnapshot:
        """Return the metrics at this moment."""
        now = self._clock() if self._ended_at is None else self._ended_at
        seconds = now - self._started_at
        return MetricsSnapshot(
            **self._latest,
            **self._counts,
            seconds=seconds,
            rate=self._tally.attempted / seconds if seconds > 0 else 0.0,
            recent_rate=self._recent_rate.rate(now, seconds),
            measures=dict(self._tally.measures),
            failures=dict(self._failures),
            left_alone=dict(self._tally.left_alone),
            left_alone_keys=dict(self._left_alone_keys),
            node_failures=dict(self._node_failures),
            task=self._task.snapshot(),
            stages={stage: histogram.snapshot() for stage, histogram in list(self._stages.items())},
            slowest=tuple(SlowTask(key=key, seconds=seconds) for seconds, key in sorted(self._slowest, reverse=True)),
        )

    def _on_run_started(self, event: RunStarted) -> None:
        self._started_at = self._clock()
        self._latest["run"] = event.run
        self._latest["workers"] = event.workers

    def _on_task_found(self, _: TaskFound) -> None:
        self._counts["found"] += 1

    def _on_source_exhausted(self, _: SourceExhausted) -> None:
        self._latest["all_found"] = True

    def _on_task_retried(self, event: TaskRetried) -> None:
        self._counts["retries"] += 1
        self._count_node_failure(event.failure)

    def _count_node_failure(self, failure: Failure) -> None:
        if failure.node:
            self._node_failures[failure.node] += 1

    def _on_node_left_out(self, _: NodeRefused | NodeSuspended) -> None:
        self._counts["nodes_left_out"] += 1

    def _on_throttled(self, event: Throttled) -> None:
        self._counts["throttled"] += event.refusals

    def _on_store_held(self, _: StoreHeld) -> None:
        self._latest["held"] = True

    def _on_store_recovered(self, event: StoreRecovered) -> None:
        self._latest["held"] = False
        self._latest["held_seconds"] = self._latest.get("held_seconds", 0.0) + event.seconds

    def _on_worker_lost(self, _: WorkerLost) -> None:
        self._counts["workers_lost"] += 1

    def _on_workers_seen(self, event: WorkersSeen) -> None:
        busy = [status.seconds for status in event.posts if status.key is not None]
        self._latest["in_flight"] = len(busy)
        self._latest["oldest"] = max(busy, default=0.0)
        self._latest["coordinator_memory"] = event.memory
        self._latest["workers_memory"] = sum(status.memory for status in event.posts)

    def _on_run_ended(self, event: RunEnded) -> None:
        self._ended_at = self._clock()
        self._latest["in_flight"] = 0
        self._latest["oldest"] = 0.0
        self._latest["reason"] = event.reason
        self._latest["reason_code"] = event.reason_code

    def _on_task_finished(self, event: TaskFinished) -> None:
        self._latest["finished_at"] = event.at
        self._count_outcome(event.outcome)

    def _count_outcome(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        if isinstance(outcome, Skipped):
            if outcome.reason != UNCHANGED:
                keys = (*self._left_alone_keys.get(outcome.reason, ()), outcome.task.key)
                self._left_alone_keys[outcome.reason] = keys[:EXAMPLES]
            return
        if isinstance(outcome, Done):
            self._add_durations(outcome)
        else:
            failures = self._failures.get(outcome.failure.code, FailureKind())
            kind = str(outcome.failure.evidence.get("kind", ""))
            self._failures[outcome.failure.code] = failures.plus(outcome.task.key, kind=kind)
            if outcome.remembered:
                return
            self._count_node_failure(outcome.failure)
        self._recent_rate.add(self._clock())

    def _add_durations(self, outcome: Done) -> None:
        self._task.add(outcome.seconds)
        push = heapq.heappush if len(self._slowest) < SLOWEST else heapq.heappushpop
        push(self._slowest, (outcome.seconds, outcome.task.key))
        for stage, seconds in outcome.timings.items():
            self._stages[stage].add(seconds)


class _RecentRate:
    """Counts the tasks of each of the last seconds."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int]] = deque(maxlen=WINDOW + 1)

    def add(self, now: float) -> None:
        second = int(now)
        before = self._seconds.pop()[1] if self._seconds and self._seconds[-1][0] == second else 0
        self._seconds.append((second, before + 1))

    def rate(self, now: float, run_seconds: float) -> float:
        """Return the number of tasks per second, over the window or the duration of the run if that is shorter."""
        # the current second counts only by the part of it that has passed
        oldest = int(now) - WINDOW
        number = sum(count for second, count in list(self._seconds) if second > oldest)
        length = min(run_seconds, now - oldest - 1)
        return number / length if length > 0 else 0.0
