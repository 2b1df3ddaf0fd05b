"""Read tasks ahead of the workers, a few at a time, so that memory does not grow with the length of the stream."""

from collections.abc import Iterable

from pixmill.engine.clock import Clock
from pixmill.engine.task import Task

_MAX_TASKS = 512
_MAX_READ_TIME = 0.01  # seconds
_QUIET_AFTER = 2.0  # seconds: longer than a store takes for a page of its listing


class TaskReader:
    """Reads from an iterable of tasks. ``is_exhausted`` once it has ended; ``is_idle`` while it has no task at the moment.

    ``is_quiet`` once it has been idle for a while: its next task is not just on its way.
    """

    def __init__(self, tasks: Iterable[Task | None], clock: Clock) -> None:
        """Read nothing yet."""
        self._tasks = iter(tasks)
        self._clock = clock
        self._next: Task | None = None
        self.is_exhausted = False
        self.is_idle = False
        self._idle_since = 0.0

    @property
    def is_quiet(self) -> bool:
        """Tell whether it has been idle for a while."""
        return self.is_idle and self._clock.elapsed() - self._idle_since >= _QUIET_AFTER

    def take(self, wanted: int) -> list[Task]:
        """Return up to ``wanted`` tasks with distinct keys; fewer when the source is slow, so that no worker waits for it."""
        chunk: dict[bytes, Task] = {}
        end = self._clock.elapsed() + _MAX_READ_TIME
        while len(chunk) < min(wanted, _MAX_TASKS):
            task = self._read_next()
            if task is None:
                break
            if task.key in chunk:
                self._next = task
                break
            chunk[task.key] = task
            if self._clock.elapsed() > end:
                break
        return list(chunk.values())

    def _read_next(self) -> Task | None:
        task, self._next = self._next, None
        if task is None:
            try:
                task = next(self._tasks)
            except StopIteration:
                self.is_exhausted = True
        is_idle = task is None and not self.is_exhausted
        if is_idle and not self.is_idle:
            self._idle_since = self._clock.elapsed()
        self.is_idle = is_idle
        return task
