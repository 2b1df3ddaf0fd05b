"""Detect during a run that tasks no longer finish, and report which ones are stuck."""

import time
from collections.abc import Callable, Sequence

from pixmill.core.events import Event, Observer
from pixmill.engine.events import RunStalled, RunStarted, TaskFinished, WorkersSeen
from pixmill.engine.task import Task


class StallDetector(Observer):
    """Sends a ``RunStalled`` to ``listeners`` when workers are busy and nothing has finished for ``threshold`` seconds.

    It reports again each time that period has doubled. It does not close the listeners.
    """

    def __init__(self, listeners: Sequence[Observer], *, threshold: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start measuring now."""
        self._listeners = listeners
        self._threshold = threshold
        self._clock = clock
        self._last_progress = clock()
        self._last_reported = 0.0

    def on_event(self, event: Event) -> None:
        """Count every finished task as progress; check for a stall at each ``WorkersSeen``."""
        if isinstance(event, TaskFinished | RunStarted):
            self._last_progress, self._last_reported = self._clock(), 0.0
        elif isinstance(event, WorkersSeen):
            self._check(event)

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:  # noqa: ARG002  # any task is progress
        """Count unchanged tasks as progress."""
        self._last_progress, self._last_reported = self._clock(), 0.0

    def close(self) -> None:
        """Do nothing: there are no resources to release."""

    def _check(self, event: WorkersSeen) -> None:
        idle_seconds = self._clock() - self._last_progress
        busy = tuple(status for status in event.posts if status.key is not None)
        if busy and idle_seconds >= max(self._threshold, 2 * self._last_reported):
            self._last_reported = idle_seconds
            for listener in self._listeners:
                listener.on_event(RunStalled(at=event.at, seconds=idle_seconds, posts=busy))
