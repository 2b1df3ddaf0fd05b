"""A worker process that makes one preview after the other: a source that crashes a decoder costs only its own preview."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import CPU_TIME, Preview, PreviewOptions, PreviewRequest
from pixmill.batch.report.previews.previews import handler_ref
from pixmill.core.units import TimeLimit
from pixmill.engine.executor import Completed
from pixmill.engine.executors.local import LocalExecutor
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Task

PREVIEW_TIMEOUT = TimeLimit(20)  # for one preview, before its worker is killed
POLL_INTERVAL = 0.2  # seconds between two checks whether the preview is still wanted


class PreviewWorker:
    """A context manager: entering starts the worker, leaving ends it. ``RunError`` if it cannot be started."""

    def __init__(self, options: PreviewOptions) -> None:
        """Start nothing yet."""
        self._options = options
        self._executor = LocalExecutor(workers=1)
        self._number = 0

    def __enter__(self) -> Self:
        """Start the worker."""
        self._executor.start(handler_ref(self._options), Policy(attempts=1, timeout=PREVIEW_TIMEOUT))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Kill the worker, even in the middle of a task."""
        self._executor.close()

    def make(self, image: ImageSummary, *, is_wanted: Callable[[], bool]) -> tuple[Preview | None, float]:
        """Return a preview of ``image``, and the processor time that it took, in seconds.

        The preview is ``None`` if it cannot be made or is no longer wanted.
        """
        self._number += 1
        request = PreviewRequest(image, show=True, compare=False)
        self._executor.submit([Attempt(Task.of(b"%d" % self._number, msgspec.msgpack.encode(request)))])
        events = self._executor.wait(POLL_INTERVAL)
        while not events and is_wanted():
            events = self._executor.wait(POLL_INTERVAL)
        completed = next((event for event in events if isinstance(event, Completed)), None)
        if completed is None:
            return None, 0.0
        preview = None if completed.failure else msgspec.msgpack.decode(completed.result, type=Preview)
        return preview, completed.measures.get(CPU_TIME, 0) / 1e6
