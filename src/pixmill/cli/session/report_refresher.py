"""Write the report again while a watch goes on."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from pixmill.batch.watch.events import CaughtUp
from pixmill.core.errors import PixmillError
from pixmill.core.events import Event, Observer

PAUSE = 60.0  # seconds between two reports of one watch


class ReportRefresher(Observer):
    """Calls ``write`` whenever a watch has caught up, in the background and not more often than every ``pause`` seconds.

    What goes wrong is left to the report at the end, which says so.
    """

    def __init__(self, write: Callable[[], None], *, pause: float = PAUSE, clock: Callable[[], float] = time.monotonic) -> None:
        """Write nothing yet."""
        self._write = write
        self._pause = pause
        self._clock = clock
        self._due = clock()
        self._writer: Thread | None = None

    def on_event(self, event: Event) -> None:
        """Write if it is time."""
        is_writing = self._writer is not None and self._writer.is_alive()
        if isinstance(event, CaughtUp) and self._clock() >= self._due and not is_writing:
            self._due = self._clock() + self._pause
            self._writer = Thread(target=self._attempt, name="report", daemon=True)
            with suppress(RuntimeError):  # where no thread is to be had there is the report at the end
                self._writer.start()

    def close(self) -> None:
        """Wait until what is being written is written."""
        if self._writer is not None and self._writer.ident is not None:
            self._writer.join()

    def _attempt(self) -> None:
        with suppress(PixmillError):
            self._write()
