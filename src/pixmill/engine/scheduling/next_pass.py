"""A further pass over the tasks whose data changed after they had been found: the same units, in their present version."""

from collections.abc import Callable, Collection, Iterator

import msgspec

from pixmill.engine.task import Failed, Task

_MAX_TASKS = 20_000  # that wait for one pass, about 1 kB each; the others fail, and are made by the next run
_MAX_PASSES = 3  # after the first one: data that change all the time must not keep a run going


class Renewal(msgspec.Struct, frozen=True):
    """What to do about tasks that fail with one of ``codes``, because their data are no longer those that were found.

    ``renew`` returns the task for the present version, with the same key and another id; ``None`` if there is none.
    """

    codes: Collection[str]
    renew: Callable[[Task], Task | None]


class NextPass:
    """Collects tasks for the next pass. True if there are any."""

    def __init__(self, renewal: Renewal | None) -> None:
        """Start empty; without a ``renewal`` nothing is ever taken."""
        self._renewal = renewal
        self._failed: list[Failed] = []
        self._final: list[Failed] = []
        self._passes = 0

    def __bool__(self) -> bool:
        """Return whether a task waits."""
        return bool(self._failed)

    @property
    def is_first(self) -> bool:
        """Tell whether no further pass has begun yet, so that each task is a new one."""
        return not self._passes

    def takes(self, failed: Failed) -> bool:
        """Take the task of ``failed``, if its data have changed and there will be another pass."""
        renewal = self._renewal
        if renewal is None or failed.failure.code not in renewal.codes or self._passes == _MAX_PASSES:
            return False
        if len(self._failed) == _MAX_TASKS:
            return False
        self._failed.append(failed)
        return True

    def begin(self) -> Iterator[Task]:
        """Begin the pass: yield the tasks in their present version. A failure for which there is none is final."""
        failed, self._failed = self._failed, []
        self._passes += 1
        return self._renewed(failed)

    def take_final(self) -> list[Failed]:
        """Remove and return the failures that are final."""
        final, self._final = self._final, []
        return final

    def _renewed(self, failed: list[Failed]) -> Iterator[Task]:
        for each in failed:
            task = self._renewal.renew(each.task) if self._renewal else None
            if task is None or task.id == each.task.id:
                self._final.append(each)
            else:
                yield task
