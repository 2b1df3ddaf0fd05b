"""The model of progress: the state of a run, its speed and the remaining time, independent of any display.

The remaining work is measured in pixels, not in images: see ``workload``.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock

import msgspec

from pixmill.batch import item
from pixmill.batch.progress.workload import Workload, WorkTotal
from pixmill.core.events import Event
from pixmill.engine.events import (
    AttemptStarted,
    RunStarted,
    SourceExhausted,
    StoreHeld,
    StoreRecovered,
    TaskFinished,
    TaskFound,
    TaskRetried,
)
from pixmill.engine.observability.tally import Tally
from pixmill.engine.task import Done, Task

RATE_WINDOW = 10.0  # seconds over which the current rate is measured
MEASUREMENT_INTERVAL = 0.2  # seconds between two measurements that are kept
# The first images of a run are the slowest, since workers and caches are cold: an estimate from them would be many times too long.
MIN_ESTIMATE_SECONDS = 3.0  # since the first image was started
MIN_ESTIMATE_IMAGES = 2  # finished per worker


class ProgressSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a run at one moment.

    All counts are images, except ``outputs``, which counts the files written. ``remembered``: failed images that had failed
    before this run. ``found``: images discovered so far. ``total``: all images, ``None`` while unknown. ``images_rate`` and
    ``pixels_rate`` are per second, over the last 10 s, of images that this run worked on. ``remaining`` is in seconds, ``None``
    while it cannot be estimated: until every worker has finished two images on average, and three seconds have passed since the
    first image was started. ``held`` is the number of seconds for which the run has been waiting for a store, 0 while it does not.
    ``saved`` is in bytes, negative if the outputs are larger than their sources.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    remembered: int = 0
    outputs: int = 0
    found: int = 0
    total: int | None = None
    in_flight: int = 0
    images_rate: float = 0.0
    pixels_rate: float = 0.0
    saved: int = 0
    elapsed: float = 0.0
    remaining: float | None = None
    held: float = 0.0

    @property
    def finished(self) -> int:
        """Return the number of images that need no more work."""
        return self.done + self.skipped + self.failed

    @property
    def worked(self) -> int:
        """Return the number of images that this run worked on."""
        return self.done + self.failed - self.remembered

    @property
    def share(self) -> float | None:
        """Return the finished share of the images, 0 to 1; ``None`` while the total is unknown."""
        if self.total is None:
            return None
        return self.finished / self.total if self.total else 1.0


class _Measurement(msgspec.Struct, frozen=True):
    at: float
    worked: int
    weight: float
    pixels: int


class Progress:
    """An observer that counts. ``clock`` is monotonic, in seconds; ``size_of`` returns the size of a task's source in bytes.

    ``on_event`` must be called from the run's thread; ``snapshot`` and ``set_total`` may be called from others.
    """

    def __init__(self, clock: Callable[[], float], *, size_of: Callable[[Task], int] | None = None) -> None:
        """Start counting now."""
        self._clock = clock
        self._size_of = size_of or source_size
        self._workload = Workload()
        self._lock = Lock()
        self._began = clock()
        self._measurements = deque([_Measurement(self._began, 0, 0.0, 0)])
        self._tally = Tally()
        self._found = 0
        self._in_flight: set[bytes] = set()
        self._workers = 0
        self._first_start: float | None = None
        self._total: int | None = None
        self._held_since: float | None = None
        self._handlers: dict[type[Event], Callable[..., None]] = {
            RunStarted: self._on_run_started,
            TaskFound: self._on_found,
            AttemptStarted: self._on_attempt_started,
            TaskRetried: self._on_retried,
            TaskFinished: self._on_finished,
            SourceExhausted: self._on_source_exhausted,
            StoreHeld: self._on_store_held,
            StoreRecovered: self._on_store_recovered,
        }

    def on_event(self, event: Event) -> None:
        """Count ``event``."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            with self._lock:
                handler(event)

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:  # noqa: ARG002  # the time does not matter
        """Count tasks that were found to be unchanged."""
        sizes = [(task.key, self._size_of(task)) for task in tasks]
        with self._lock:
            self._found += len(tasks)
            self._workload.pass_over(sizes)
            self._tally.add_unchanged(len(tasks))

    def close(self) -> None:
        """Do nothing: no resources are held."""

    @property
    def has_work(self) -> bool:
        """Tell whether any image needed an attempt so far; a run in which none does only lists its source."""
        return self._first_start is not None

    @property
    def in_flight(self) -> int:
        """Return the number of images that are being worked on."""
        return min(len(self._in_flight), self._workers)  # the others wait in a worker's pipe and can be cancelled

    def set_total(self, total: WorkTotal) -> None:
        """Set the total amount of work, before the run has found all of it."""
        with self._lock:
            if self._total is None:
                self._total = total.count
                self._workload.set_total(total)

    def snapshot(self) -> ProgressSnapshot:
        """Return the current progress."""
        with self._lock:
            return self._snapshot(self._clock())

    def _snapshot(self, now: float) -> ProgressSnapshot:
        counts, measures = self._tally.counts, self._tally.measures
        sample = _Measurement(now, self._tally.attempted, self._workload.finished, measures["pixels_in"])
        earlier = self._record(sample)
        seconds = now - earlier.at
        total = None if self._total is None else max(self._total, self._found)
        is_measured = self._total is not None and (self._found >= self._total or self._workload.is_measured)
        pace = (sample.weight - earlier.weight) / seconds if seconds else 0.0
        return ProgressSnapshot(
            done=counts["done"],
            skipped=counts["skipped"],
            failed=counts["failed"],
            remembered=counts["remembered"],
            outputs=measures["outputs"],
            found=self._found,
            total=total,
            in_flight=self.in_flight,
            images_rate=(sample.worked - earlier.worked) / seconds if seconds else 0.0,
            pixels_rate=(sample.pixels - earlier.pixels) / seconds if seconds else 0.0,
            saved=measures["bytes_in"] - measures["bytes_out"],
            elapsed=now - self._began,
            remaining=self._workload.remaining / pace if is_measured and pace and self._can_estimate(sample) else None,
            held=0.0 if self._held_since is None else now - self._held_since,
        )

    def _can_estimate(self, sample: _Measurement) -> bool:
        """Tell whether enough has been measured to estimate the time left."""
        if self._first_start is None or sample.at - self._first_start < MIN_ESTIMATE_SECONDS:
            return False
        return sample.worked >= MIN_ESTIMATE_IMAGES * self._workers

    def _record(self, sample: _Measurement) -> _Measurement:
        """Record ``sample``, and return the oldest measurement to compare it with, up to ``RATE_WINDOW`` seconds old."""
        if sample.at - self._measurements[-1].at >= MEASUREMENT_INTERVAL:
            self._measurements.append(sample)
        while len(self._measurements) > 1 and sample.at - self._measurements[1].at >= RATE_WINDOW:
            self._measurements.popleft()
        return self._measurements[0]

    def _on_run_started(self, event: RunStarted) -> None:
        self._workers = event.workers

    def _on_found(self, event: TaskFound) -> None:
        self._found += 1
        self._workload.find(event.task.key, self._size_of(event.task))

    def _on_source_exhausted(self, event: SourceExhausted) -> None:
        self._total = event.found

    def _on_store_held(self, _: StoreHeld) -> None:
        self._held_since = self._clock()

    def _on_store_recovered(self, _: StoreRecovered) -> None:
        self._held_since = None

    def _on_attempt_started(self, event: AttemptStarted) -> None:
        if self._first_start is None:  # the start of the workers, or of a cluster, is not work
            self._first_start = self._clock()
            self._measurements = deque([_Measurement(self._first_start, 0, self._workload.finished, 0)])
        self._in_flight.add(event.attempt.task.key)

    def _on_retried(self, event: TaskRetried) -> None:
        self._in_flight.discard(event.attempt.task.key)

    def _on_finished(self, event: TaskFinished) -> None:
        outcome = event.outcome
        task = outcome.task
        self._in_flight.discard(task.key)
        pixels = outcome.measures.get("pixels_in") if isinstance(outcome, Done) else None
        self._workload.finish(task.key, self._size_of(task), pixels)
        self._tally.add(outcome)


def source_size(task: Task) -> int:
    """Return the size in bytes of the source image of a task, as far as it is known before it is read."""
    return item.source_size(task.payload)
