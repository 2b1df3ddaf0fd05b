"""The numbers of a run in a file, for whoever looks at it while the run goes on: a dashboard, a script, a health check."""

import time
from collections.abc import Callable
from pathlib import Path

from pixmill.core.events import Event, Observer
from pixmill.engine.observability.files import opening, replaced, writing
from pixmill.engine.observability.json_lines import line
from pixmill.engine.observability.metrics import Metrics, Snapshot


def as_json(snapshot: Snapshot) -> str:
    """Return ``snapshot`` as one line of JSON."""
    return line(snapshot) + "\n"


class MetricsFile(Observer):
    """Keeps ``path`` up to date with the snapshot of ``metrics``: at once, then every ``interval`` seconds, and at the end.

    ``render`` makes the text of it. A reader finds a whole file at any time. It comes after ``metrics`` among the observers,
    so that it reports what it saw.
    """

    def __init__(
        self,
        path: Path,
        metrics: Metrics,
        *,
        render: Callable[[Snapshot], str] = as_json,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write the first snapshot; ``ConfigError`` when the file cannot be written."""
        self._path = path
        self._metrics = metrics
        self._render = render
        self._interval = interval
        self._clock = clock
        self._next = clock() + interval
        with opening(path):
            self._write()

    def notice(self, event: Event) -> None:  # noqa: ARG002  # any event is an occasion to look at the clock
        """Write the numbers if it is time."""
        now = self._clock()
        if now >= self._next:
            self._next = now + self._interval
            self.close()

    def close(self) -> None:
        """Write the numbers as they are now."""
        with writing(self._path):
            self._write()

    def _write(self) -> None:
        with replaced(self._path) as file:
            file.write(self._render(self._metrics.snapshot()))
