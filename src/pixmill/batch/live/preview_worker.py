"""A worker process that makes one picture after the other: a source that crashes a decoder costs its own picture."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from pixmill.batch.report.data.statistics import ImageSummary
from pixmill.batch.report.previews.messages import PROCESSOR_TIME, Preview, PreviewOptions, PreviewRequest
from pixmill.batch.report.previews.previews import handler_ref
from pixmill.core.units import Duration
from pixmill.engine.executor import Completed
from pixmill.engine.executors.local import LocalExecutor
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Task

PATIENCE = Duration(20)  # of one picture, before its worker is killed
GLANCE = 0.2  # seconds between two looks at whether the picture is still wanted


class PreviewWorker:
    """Enter it to start the worker, leave to end it. ``RunError`` when there can be none."""

    def __init__(self, options: PreviewOptions) -> None:
        """Start nothing yet."""
        self._options = options
        self._executor = LocalExecutor(workers=1)
        self._number = 0

    def __enter__(self) -> Self:
        """Start the worker."""
        self._executor.start(handler_ref(self._options), Policy(attempts=1, timeout=PATIENCE))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Kill the worker, whatever it is at."""
        self._executor.close()

    def make(self, picture: ImageSummary, *, is_wanted: Callable[[], bool]) -> tuple[Preview | None, float]:
        """Return small pictures before and after, and the seconds of processor time that they took.

        ``None`` where they cannot be made, or are not wanted any more.
        """
        self._number += 1
        errand = PreviewRequest(picture, show=True, compare=False)
        self._executor.submit([Attempt(Task.of(b"%d" % self._number, msgspec.msgpack.encode(errand)))])
        reports = self._executor.wait(GLANCE)
        while not reports and is_wanted():
            reports = self._executor.wait(GLANCE)
        answer = next((report for report in reports if isinstance(report, Completed)), None)
        if answer is None:
            return None, 0.0
        shown = None if answer.failure else msgspec.msgpack.decode(answer.result, type=Preview)
        return shown, answer.measures.get(PROCESSOR_TIME, 0) / 1e6
