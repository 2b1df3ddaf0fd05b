"""Updates the report during a watch."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from pixmill.batch.watch.events import CaughtUp
from pixmill.core.errors import PixmillError
from pixmill.core.events import Event, Observer
from pixmill.engine.observability.publisher import IgnoresUnchanged

MIN_INTERVAL = 60.0  # seconds between two reports of one watch


class ReportRefresher(IgnoresUnchanged, Observer):
    """Calls ``write`` in the background whenever a watch has caught up, at most once every ``interval`` seconds.

    Errors are ignored here: the report at the end of the watch reports them.
    """

    def __init__(
        self, write: Callable[[], None], *, interval: float = MIN_INTERVAL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Store the function to call; write nothing yet."""
        self._write = write
        self._interval = interval
        self._clock = clock
        self._due = clock()
        self._writer: Thread | None = None

    def on_event(self, event: Event) -> None:
        """Start writing if the watch has caught up and a report is due."""
        is_writing = self._writer is not None and self._writer.is_alive()
        if isinstance(event, CaughtUp) and self._clock() >= self._due and not is_writing:
            self._due = self._clock() + self._interval
            self._writer = Thread(target=self._attempt, name="report", daemon=True)
            with suppress(RuntimeError):  # if no thread can be started, only the report at the end is written
                self._writer.start()

    def close(self) -> None:
        """Wait for a report that is being written."""
        if self._writer is not None and self._writer.ident is not None:
            self._writer.join()

    def _attempt(self) -> None:
        with suppress(PixmillError):
            self._write()
