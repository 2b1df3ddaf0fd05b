"""Write the metrics to a file during a run, for a dashboard, a script or a health check."""

import time
from collections.abc import Callable
from pathlib import Path

from pixmill.core.events import Event, Observer
from pixmill.engine.observability.files import atomic_text_file, config_error_if_unwritable, run_error_if_unwritable
from pixmill.engine.observability.json_lines import json_line
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.observability.publisher import IgnoresUnchanged


def as_json(snapshot: MetricsSnapshot) -> str:
    """Return ``snapshot`` as one line of JSON."""
    return json_line(snapshot) + "\n"


class MetricsFile(IgnoresUnchanged, Observer):
    """Writes the snapshot of ``metrics`` to ``path``: at once, then every ``interval`` seconds, and at the end.

    ``render`` turns a snapshot into text. A reader finds a complete file at any time. The observer comes after ``metrics``, so
    that each snapshot includes the current event.
    """

    def __init__(
        self,
        path: Path,
        metrics: Metrics,
        *,
        render: Callable[[MetricsSnapshot], str] = as_json,
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
        with config_error_if_unwritable(path):
            self._write()

    def on_event(self, event: Event) -> None:  # noqa: ARG002  # any event is a chance to check the clock
        """Write the snapshot if it is due."""
        now = self._clock()
        if now >= self._next:
            self._next = now + self._interval
            self.close()

    def close(self) -> None:
        """Write the final snapshot."""
        with run_error_if_unwritable(self._path):
            self._write()

    def _write(self) -> None:
        with atomic_text_file(self._path) as file:
            file.write(self._render(self._metrics.snapshot()))
