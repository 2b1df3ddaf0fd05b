"""Sees what happens in a run and keeps, in constant memory, what the live page shows of it."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pixmill.batch.item import unpack
from pixmill.batch.report.data.statistics import ImageSummary, LedgerStatistics, image_summary
from pixmill.core.events import Event, Observer
from pixmill.engine.events import RunEnded, RunStalled, RunStarted, TaskFinished, WorkersSeen
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.ledger import Record
from pixmill.engine.task import Done, Failed, State


class LiveCollector(Observer):
    """An observer that adds up what the report adds up, as it happens.

    ``findings`` and the rest may be read by other threads within ``held``: the run waits meanwhile, so be quick.
    ``silence`` is for how many seconds nothing had finished when that was last said, 0 when something has since.
    """

    def __init__(self, began: float) -> None:
        """Take time from ``began``, in seconds since the epoch."""
        self._lock = threading.Lock()
        self.findings = LedgerStatistics(began, pictures=0, chance=random.Random(0))  # noqa: S311  # a sample of nothing
        self.posts: tuple[WorkerStatus, ...] = ()
        self.latest: ImageSummary | None = None
        self.run = 0
        self.silence = 0.0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nothing change within the block."""
        with self._lock:
            yield

    def on_event(self, event: Event) -> None:
        """Take note of ``event``."""
        with self._lock:
            match event:
                case TaskFinished():
                    self.silence = 0.0
                    self._finish(event)
                case WorkersSeen():
                    self.posts = tuple(post for post in event.posts if post.key is not None)
                case RunStalled():
                    self.silence = event.seconds
                case RunStarted():
                    self.run = event.run
                case RunEnded():
                    self.posts = ()

    def close(self) -> None:
        """Keep what was seen: it may still be read."""

    def _finish(self, event: TaskFinished) -> None:
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
            self.findings.add([done])
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
                finished_at=0.0 if outcome.remembered else event.at,  # one of an earlier run is none of this one's throughput
            )
            self.findings.add([failed])
