"""Events as JSON lines, for programs that follow a run."""

from typing import TextIO

from pixmill.core.events import Event, Observer
from pixmill.engine.exporting import Explain, line


class EventLines(Observer):
    """Writes one line an event to ``stream``, which stays open. ``explain`` shows results, which the engine cannot read.

    When nobody reads any more (``| head``), or the stream is full, the rest is not written and ``error`` says why: the work
    does not depend on being watched.
    """

    def __init__(self, stream: TextIO, *, explain: Explain | None = None) -> None:
        """Write nothing yet."""
        self._stream = stream
        self._explain = explain
        self.error: OSError | None = None

    def notice(self, event: Event) -> None:
        """Write ``event``, and let it be seen at once."""
        if self.error is None:
            try:
                self._stream.write(line(event, self._explain) + "\n")
                self._stream.flush()
            except OSError as error:
                self.error = error

    def close(self) -> None:
        """Leave the stream to its owner."""
