"""Notice when nothing finishes any more, while it lasts: what is stuck is what somebody will want to know then."""

import time
from collections.abc import Callable, Sequence

from pixmill.core.events import Event, Observer
from pixmill.engine.events import RunStalled, RunStarted, TaskFinished, WorkersSeen


class StallDetector(Observer):
    """Tells ``listeners`` of a ``RunStalled`` when workers are at something and nothing has finished for ``patience`` seconds.

    It tells again each time the silence has doubled. The listeners are somebody else's to close.
    """

    def __init__(self, listeners: Sequence[Observer], *, threshold: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Be patient from now on."""
        self._listeners = listeners
        self._threshold = threshold
        self._clock = clock
        self._since = clock()
        self._last_reported = 0.0

    def on_event(self, event: Event) -> None:
        """Take what finishes for progress, and each look at the workers for an occasion to see whether it has been long."""
        if isinstance(event, TaskFinished | RunStarted):
            self._since, self._last_reported = self._clock(), 0.0
        elif isinstance(event, WorkersSeen):
            self._look(event)

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""

    def _look(self, event: WorkersSeen) -> None:
        silence = self._clock() - self._since
        busy = tuple(post for post in event.posts if post.key is not None)
        if busy and silence >= max(self._threshold, 2 * self._last_reported):
            self._last_reported = silence
            for listener in self._listeners:
                listener.on_event(RunStalled(at=event.at, seconds=silence, posts=busy))
