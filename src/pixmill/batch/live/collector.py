"""Collects the events of a run, in constant memory, for the live page."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pixmill.batch.item import unpack
from pixmill.batch.report.data.statistics import ImageSummary, LedgerStatistics, image_summary
from pixmill.core.events import Event, Observer
from pixmill.engine.events import RunEnded, RunStalled, RunStarted, TaskFinished, WorkersSeen
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.ledger import Record
from pixmill.engine.task import Done, Failed, State, Task


class LiveCollector(Observer):
    """An observer that keeps the statistics of the report up to date.

    Other threads may read the attributes within ``locked``; the run waits meanwhile, so be quick. ``stalled_for`` is the
    number of seconds without a result when a stall was last reported, 0 if an image has finished since.
    """

    def __init__(self, began: float) -> None:
        """Measure time from ``began``, in seconds since the epoch."""
        self._lock = threading.Lock()
        self.statistics = LedgerStatistics(began, sample_size=0, rng=random.Random(0))  # noqa: S311  # the sample is empty
        self.workers: tuple[WorkerStatus, ...] = ()
        self.latest: ImageSummary | None = None
        self.run_number = 0
        self.stalled_for = 0.0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Prevent changes within the block."""
        with self._lock:
            yield

    def on_event(self, event: Event) -> None:
        """Update the statistics with ``event``."""
        with self._lock:
            match event:
                case TaskFinished():
                    self.stalled_for = 0.0
                    self._add_outcome(event)
                case WorkersSeen():
                    self.workers = tuple(post for post in event.posts if post.key is not None)
                case RunStalled():
                    self.stalled_for = event.seconds
                case RunStarted():
                    self.run_number = event.run
                case RunEnded():
                    self.workers = ()

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:  # noqa: ARG002  # only that there are some matters
        """Note that the run does not stall."""
        with self._lock:
            self.stalled_for = 0.0

    def close(self) -> None:
        """Do nothing: the statistics may still be read."""

    def _add_outcome(self, event: TaskFinished) -> None:
        outcome = event.outcome
        task = outcome.task
        if isinstance(outcome, Done):
            done = Record(
                key=task.key,
                id=task.id,
                state=State.DONE,
                attempts=outcome.attempts,
                result=outcome.result,
                seconds=outcome.seconds,
                finished_at=event.at,
            )
            self.statistics.add([done])
            product = unpack(outcome.result)
            self.latest = image_summary(done, product) if product.outputs else self.latest
        elif isinstance(outcome, Failed):
            failed = Record(
                key=task.key,
                id=task.id,
                state=State.FAILED,
                attempts=outcome.attempts,
                failure=outcome.failure,
                seconds=outcome.seconds,
                finished_at=0.0
                if outcome.remembered
                else event.at,  # a failure of an earlier run does not count towards the throughput of this one
            )
            self.statistics.add([failed])
