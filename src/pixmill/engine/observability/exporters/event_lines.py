"""Write events as JSON lines, for programs that follow a run."""

from pathlib import Path
from typing import TextIO

from pixmill.core.events import Event, Observer
from pixmill.engine.events import WorkersSeen
from pixmill.engine.observability.files import config_error_if_unwritable, run_error_if_unwritable
from pixmill.engine.observability.json_lines import Explain, json_line
from pixmill.engine.observability.streams import is_stream, open_stream


class EventLines(Observer):
    """Writes one line per event to ``stream``, which stays open. ``explain`` decodes results, which the engine cannot read.

    ``WorkersSeen``, once a second, is left to the metrics.
    When the reader has gone (``| head``) or the stream is full, no more lines are written and ``error`` is set: the run does not
    depend on being watched.
    """

    def __init__(self, stream: TextIO, *, explain: Explain | None = None) -> None:
        """Write nothing yet."""
        self._stream = stream
        self._explain = explain
        self.error: OSError | None = None

    def on_event(self, event: Event) -> None:
        """Write ``event`` and flush."""
        if self.error is None and not isinstance(event, WorkersSeen):
            try:
                self._stream.write(json_line(event, self._explain) + "\n")
                self._stream.flush()
            except OSError as error:
                self.error = error

    def close(self) -> None:
        """Leave the stream to its owner."""


class EventFile(Observer):
    """Writes the same lines to a new file at ``path``. Unlike with a stream, an error ends the run."""

    def __init__(self, path: Path, *, explain: Explain | None = None) -> None:
        """Create the file; ``ConfigError`` when it cannot be written."""
        self._path = path
        with config_error_if_unwritable(path):
            self._file = open_stream(path) if is_stream(path) else path.open("w", encoding="utf-8")
        self._lines = EventLines(self._file, explain=explain)

    def on_event(self, event: Event) -> None:
        """Write ``event``; ``RunError`` when that fails."""
        with run_error_if_unwritable(self._path):
            self._lines.on_event(event)
            if self._lines.error is not None:
                raise self._lines.error

    def close(self) -> None:
        """Close the file."""
        with run_error_if_unwritable(self._path):
            self._file.close()
