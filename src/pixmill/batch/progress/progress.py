"""The model of progress: how far a run is, how fast, and how long it will take. Who shows it is another matter.

What is left is weighed in pixels, not counted in images: ``workload`` says how.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock

import msgspec

from pixmill.batch import item
from pixmill.batch.progress.workload import Workload, WorkTotal
from pixmill.core.events import Event
from pixmill.engine.events import AttemptStarted, RunStarted, SourceExhausted, TaskFinished, TaskFound, TaskRetried
from pixmill.engine.task import Done, Failed, Task

RECENT = 10.0  # seconds that "now" means
SAMPLE = 0.2  # seconds between two memories of the recent past


class ProgressSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is at one moment.

    Everything counts images but ``outputs``, which counts the files that were made of them. ``remembered``: those of the failed
    that failed before this run. ``found``: images discovered so far. ``total``: all there are, ``None`` while that is not known.
    ``images_rate`` and ``pixels_rate`` are a second, over the last 10 s, of images that
    were work. ``remaining`` is in seconds, ``None`` while it cannot be said. ``saved`` is in bytes, negative when the results
    are larger.
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

    @property
    def finished(self) -> int:
        """Return the number of images that need no more work."""
        return self.done + self.skipped + self.failed

    @property
    def worked(self) -> int:
        """Return the number of images that were work in this run."""
        return self.done + self.failed - self.remembered

    @property
    def share(self) -> float | None:
        """Return the part that is finished, 0 to 1; ``None`` while the total is not known."""
        if self.total is None:
            return None
        return self.finished / self.total if self.total else 1.0


class _Measurement(msgspec.Struct, frozen=True):
    at: float
    worked: int
    weight: float
    pixels: int


class Progress:
    """An observer that counts. ``clock`` returns seconds that only grow; ``size_of`` tells the bytes of a task's source.

    ``on_event`` is for the run's thread; ``snapshot`` and ``expect`` may come from others.
    """

    def __init__(self, clock: Callable[[], float], *, size_of: Callable[[Task], int] | None = None) -> None:
        """Start counting now."""
        self._clock = clock
        self._size_of = size_of or source_size
        self._workload = Workload()
        self._lock = Lock()
        self._began = clock()
        self._samples = deque([_Measurement(self._began, 0, 0.0, 0)])
        self._found = self._done = self._skipped = self._failed = self._remembered = 0
        self._bytes_in = self._bytes_out = self._pixels = self._outputs = 0
        self._in_flight: set[bytes] = set()
        self._workers = 0
        self._total: int | None = None
        self._handlers: dict[type[Event], Callable[..., None]] = {
            RunStarted: self._started,
            TaskFound: self._found_one,
            AttemptStarted: self._began_one,
            TaskRetried: self._put_back_one,
            TaskFinished: self._finished_one,
            SourceExhausted: self._found_all,
        }

    def on_event(self, event: Event) -> None:
        """Count ``event``."""
        hear = self._handlers.get(type(event))
        if hear is not None:
            with self._lock:
                hear(event)

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""

    @property
    def in_flight(self) -> int:
        """Return the number of images that are being worked on."""
        return min(len(self._in_flight), self._workers)  # the rest waits in a worker's pipe, and is called back

    def set_total(self, ahead: WorkTotal) -> None:
        """Say how much there will be, before the run has found it all."""
        with self._lock:
            if self._total is None:
                self._total = ahead.count
                self._workload.set_total(ahead)

    def snapshot(self) -> ProgressSnapshot:
        """Return how far it is now."""
        with self._lock:
            return self._snapshot(self._clock())

    def _snapshot(self, now: float) -> ProgressSnapshot:
        sample = _Measurement(now, self._done + self._failed - self._remembered, self._workload.finished, self._pixels)
        past = self._remember(sample)
        passed = now - past.at
        total = None if self._total is None else max(self._total, self._found)
        pace = (sample.weight - past.weight) / passed if passed else 0.0
        return ProgressSnapshot(
            done=self._done,
            skipped=self._skipped,
            failed=self._failed,
            remembered=self._remembered,
            outputs=self._outputs,
            found=self._found,
            total=total,
            in_flight=self.in_flight,
            images_rate=(sample.worked - past.worked) / passed if passed else 0.0,
            pixels_rate=(sample.pixels - past.pixels) / passed if passed else 0.0,
            saved=self._bytes_in - self._bytes_out,
            elapsed=now - self._began,
            remaining=self._workload.remaining / pace if total is not None and pace else None,
        )

    def _remember(self, sample: _Measurement) -> _Measurement:
        """Keep ``sample`` for later, and return the one to compare it with: as old as can be, up to ``RECENT`` seconds."""
        if sample.at - self._samples[-1].at >= SAMPLE:
            self._samples.append(sample)
        while len(self._samples) > 1 and sample.at - self._samples[1].at >= RECENT:
            self._samples.popleft()
        return self._samples[0]

    def _started(self, event: RunStarted) -> None:
        self._workers = event.workers

    def _found_one(self, event: TaskFound) -> None:
        self._found += 1
        self._workload.find(event.task.key, self._size_of(event.task))

    def _found_all(self, event: SourceExhausted) -> None:
        self._total = event.found

    def _began_one(self, event: AttemptStarted) -> None:
        self._in_flight.add(event.attempt.task.key)

    def _put_back_one(self, event: TaskRetried) -> None:
        self._in_flight.discard(event.attempt.task.key)

    def _finished_one(self, event: TaskFinished) -> None:
        outcome = event.outcome
        task = outcome.task
        self._in_flight.discard(task.key)
        pixels = outcome.measures.get("pixels_in") if isinstance(outcome, Done) else None
        self._workload.finish(task.key, self._size_of(task), pixels)
        if isinstance(outcome, Done):
            self._done += 1
            measure = outcome.measures.get
            self._bytes_in += measure("bytes_in", 0)
            self._bytes_out += measure("bytes_out", 0)
            self._pixels += measure("pixels_in", 0)
            self._outputs += measure("outputs", 0)
        elif isinstance(outcome, Failed):
            self._failed += 1
            self._remembered += outcome.remembered
        else:
            self._skipped += 1


def source_size(task: Task) -> int:
    """Return the bytes of the image that a task is about, as far as they are known before it is read."""
    return item.source_size(task.payload)
