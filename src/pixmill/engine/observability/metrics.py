"""What a run has done until now, in numbers: an observer in constant memory, and the snapshot that everyone else reads."""

import heapq
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Any, TypedDict

import msgspec

from pixmill.core.events import Event, Observer
from pixmill.engine.events import (
    NodeRefused,
    NodeSuspended,
    RunEnded,
    RunStarted,
    SourceExhausted,
    TaskFinished,
    TaskFound,
    TaskRetried,
    Throttled,
    WorkerLost,
    WorkersSeen,
)
from pixmill.engine.observability.histogram import Histogram, HistogramSnapshot
from pixmill.engine.task import UNCHANGED, Counts, Done, Failed, Failure, Outcome, Skipped

WINDOW = 10  # seconds that the recent rate looks back
EXAMPLES = 3  # keys kept of each kind of failure
SLOWEST = 5  # tasks kept that took longest


class FailureKind(msgspec.Struct, frozen=True, kw_only=True):
    """The failures with one code: how many, and the ``keys`` of the first ones."""

    count: int = 0
    keys: tuple[bytes, ...] = ()


class SlowTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that took long, in seconds by the worker's clock."""

    key: bytes
    seconds: float


class MetricsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers at one moment.

    ``seconds`` since the run began. ``found`` may still grow unless ``all_found``. ``tried`` are the tasks that ended in
    this run by being worked on: without ``skipped`` and ``remembered`` failures; ``rate`` is ``tried`` a second over the
    run, ``recent_rate`` over the last 10 s. ``measures`` are the sums of what handlers counted (``bytes_in``, ...).
    ``throttled`` is how often a storage asked for fewer requests. ``left_alone``: tasks that were skipped for another reason than
    that they were done, by reason.
    Of a cluster: ``nodes_left_out`` got no work, or no more; ``node_failures`` are the tries that failed, final or not, by the
    node that they failed on.
    ``task`` times whole tasks, ``stages`` each of their stages; ``slowest`` are the five done tasks that took longest, the
    longest first. ``reason`` says why the run ended, empty while it goes on.

    Of the last look at the workers: how many tasks were being worked on (``in_flight``), for how long the longest of them
    (``oldest``), the resident memory in bytes of the coordinator and of all workers. ``finished_at`` is when the last task
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
    workers_lost: int = 0
    nodes_left_out: int = 0
    node_failures: dict[str, int] = {}
    rate: float = 0.0
    recent_rate: float = 0.0
    measures: dict[str, int] = {}
    failures: dict[str, FailureKind] = {}
    left_alone: dict[str, int] = {}
    task: HistogramSnapshot = HistogramSnapshot()
    stages: dict[str, HistogramSnapshot] = {}
    slowest: tuple[SlowTask, ...] = ()
    in_flight: int = 0
    oldest: float = 0.0
    coordinator_memory: int = 0
    workers_memory: int = 0
    finished_at: float = 0.0
    reason: str = ""

    @property
    def tried(self) -> int:
        """Return the number of tasks that were worked on to their end."""
        return self.done + self.failed - self.remembered

    @property
    def pending(self) -> int:
        """Return the number of tasks that were found and have no outcome."""
        return self.found - self.done - self.skipped - self.failed

    @property
    def counts(self) -> Counts:
        """Return the four kinds of tasks, which add up to those found."""
        return Counts(done=self.done, skipped=self.skipped, failed=self.failed, pending=self.pending)


class _Facts(TypedDict, total=False):
    run: int
    workers: int
    all_found: bool
    in_flight: int
    oldest: float
    coordinator_memory: int
    workers_memory: int
    finished_at: float
    reason: str


class Metrics(Observer):
    """Counts events. ``clock`` gives seconds that never run backwards.

    ``snapshot`` may also be asked for by one other thread, whose numbers may then be those of two moments that lie close together.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at nought."""
        self._clock = clock
        self._began = clock()
        self._ended: float | None = None
        self._facts: _Facts = {}
        self._numbers: Counter[str] = Counter()
        self._measures: defaultdict[str, int] = defaultdict(int)
        self._failures: dict[str, FailureKind] = {}
        self._left_alone: Counter[str] = Counter()
        self._node_failures: Counter[str] = Counter()
        self._task = Histogram()
        self._stages: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._slowest: list[tuple[float, bytes]] = []
        self._recent = _Recent()
        # two events a task, a million tasks: functools.singledispatchmethod costs ten times as much as the counting
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            RunStarted: self._start,
            TaskFound: self._find,
            SourceExhausted: self._exhaust,
            TaskRetried: self._retry,
            Throttled: self._wait,
            WorkerLost: self._lose,
            WorkersSeen: self._look,
            TaskFinished: self._take,
            NodeRefused: self._leave_out,
            NodeSuspended: self._leave_out,
            RunEnded: self._end,
        }

    def on_event(self, event: Event) -> None:
        """Count ``event``; one of another kind changes no number."""
        taker = self._handlers.get(type(event))
        if taker is not None:
            taker(event)

    def close(self) -> None:
        """Keep the numbers: they may still be read."""

    def snapshot(self) -> MetricsSnapshot:
        """Return the numbers of this moment."""
        now = self._clock() if self._ended is None else self._ended
        seconds = now - self._began
        tried = self._numbers["done"] + self._numbers["failed"] - self._numbers["remembered"]
        return MetricsSnapshot(
            **self._facts,
            **self._numbers,
            seconds=seconds,
            rate=tried / seconds if seconds > 0 else 0.0,
            recent_rate=self._recent.rate(now, seconds),
            measures=dict(self._measures),
            failures=dict(self._failures),
            left_alone=dict(self._left_alone),
            node_failures=dict(self._node_failures),
            task=self._task.snapshot(),
            stages={stage: histogram.snapshot() for stage, histogram in list(self._stages.items())},
            slowest=tuple(SlowTask(key=key, seconds=seconds) for seconds, key in sorted(self._slowest, reverse=True)),
        )

    def _start(self, event: RunStarted) -> None:
        self._began = self._clock()
        self._facts["run"] = event.run
        self._facts["workers"] = event.workers

    def _find(self, _: TaskFound) -> None:
        self._numbers["found"] += 1

    def _exhaust(self, _: SourceExhausted) -> None:
        self._facts["all_found"] = True

    def _retry(self, event: TaskRetried) -> None:
        self._numbers["retries"] += 1
        self._note_place(event.failure)

    def _note_place(self, failure: Failure) -> None:
        if failure.node:
            self._node_failures[failure.node] += 1

    def _leave_out(self, _: NodeRefused | NodeSuspended) -> None:
        self._numbers["nodes_left_out"] += 1

    def _wait(self, event: Throttled) -> None:
        self._numbers["throttled"] += event.refusals

    def _lose(self, _: WorkerLost) -> None:
        self._numbers["workers_lost"] += 1

    def _look(self, event: WorkersSeen) -> None:
        busy = [post.seconds for post in event.posts if post.key is not None]
        self._facts["in_flight"] = len(busy)
        self._facts["oldest"] = max(busy, default=0.0)
        self._facts["coordinator_memory"] = event.memory
        self._facts["workers_memory"] = sum(post.memory for post in event.posts)

    def _end(self, event: RunEnded) -> None:
        self._ended = self._clock()
        self._facts["in_flight"] = 0
        self._facts["oldest"] = 0.0
        self._facts["reason"] = event.reason

    def _take(self, event: TaskFinished) -> None:
        self._facts["finished_at"] = event.at
        self._finish(event.outcome)

    def _finish(self, outcome: Outcome) -> None:
        match outcome:
            case Done():
                self._numbers["done"] += 1
                for measure, amount in outcome.measures.items():
                    self._measures[measure] += amount
                self._time(outcome)
            case Skipped():
                self._numbers["skipped"] += 1
                if outcome.reason != UNCHANGED:
                    self._left_alone[outcome.reason] += 1
            case Failed():
                self._numbers["failed"] += 1
                self._numbers["remembered"] += outcome.remembered
                kind = self._failures.get(outcome.failure.code, FailureKind())
                keys = (*kind.keys, outcome.task.key)[:EXAMPLES]
                self._failures[outcome.failure.code] = FailureKind(count=kind.count + 1, keys=keys)
                if not outcome.remembered:
                    self._note_place(outcome.failure)
        if not isinstance(outcome, Skipped) and not getattr(outcome, "remembered", False):
            self._recent.add(self._clock())

    def _time(self, outcome: Done) -> None:
        self._task.add(outcome.seconds)
        keep = heapq.heappush if len(self._slowest) < SLOWEST else heapq.heappushpop
        keep(self._slowest, (outcome.seconds, outcome.task.key))
        for stage, seconds in outcome.timings.items():
            self._stages[stage].add(seconds)


class _Recent:
    """How many there were in each of the last seconds."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int]] = deque(maxlen=WINDOW + 1)

    def add(self, now: float) -> None:
        second = int(now)
        before = self._seconds.pop()[1] if self._seconds and self._seconds[-1][0] == second else 0
        self._seconds.append((second, before + 1))

    def rate(self, now: float, running: float) -> float:
        """Return how many there were a second, over the window or as long as the run has lasted."""
        # the second that has only begun counts by the part of it that has passed
        oldest = int(now) - WINDOW
        number = sum(count for second, count in list(self._seconds) if second > oldest)
        length = min(running, now - oldest - 1)
        return number / length if length > 0 else 0.0
