"""Publish events to the observers."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pixmill.core.events import Event, Observer
from pixmill.engine.clock import Clock
from pixmill.engine.events import TaskFinished, TaskFound
from pixmill.engine.task import Skipped, Task


@runtime_checkable
class UnchangedObserver(Protocol):
    """An observer that receives unchanged tasks together, in place of a ``TaskFound`` and a ``TaskFinished`` for each.

    A run with nothing to do has no other tasks, and spends a third of its time on these events.
    """

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:
        """Handle ``tasks``, of which none is new, that were found to be unchanged ``at`` this time, seconds since the epoch."""


class IgnoresUnchanged(UnchangedObserver):
    """Base of observers that ignore the tasks of a run, or only those with nothing to do."""

    def on_unchanged(self, tasks: Sequence[Task], at: float) -> None:
        """Do nothing."""


class EventPublisher:
    """Creates each event once, with the time, and passes it to every observer. Costs nothing without observers."""

    def __init__(self, observers: Sequence[Observer], clock: Clock) -> None:
        """Publish to ``observers``, in their order."""
        self._observers = tuple(observers)
        self._of_unchanged = tuple(each.on_unchanged for each in observers if isinstance(each, UnchangedObserver))
        self._of_events = tuple(each for each in observers if not isinstance(each, UnchangedObserver))
        self._clock = clock

    def publish(self, kind: type[Event], **fields: object) -> None:
        """Publish an event of this ``kind`` that happened now."""
        if self._observers:
            _send(kind(at=self._clock.now(), **fields), self._observers)

    def publish_found(self, tasks: Sequence[Task], unchanged: Sequence[Task]) -> None:
        """Publish that ``tasks`` were found, of which some are ``unchanged`` and thereby finished."""
        known = {task.key for task in unchanged}
        if unchanged:
            self.publish_unchanged(unchanged)
        for task in tasks if len(known) < len(tasks) else ():
            if task.key not in known:
                self.publish(TaskFound, task=task)

    def publish_unchanged(self, tasks: Sequence[Task]) -> None:
        """Publish that ``tasks`` were found and are unchanged: together to an ``UnchangedObserver``, else with two events each."""
        at = self._clock.now()
        for on_unchanged in self._of_unchanged:
            on_unchanged(tasks, at)
        if self._of_events:
            for task in tasks:
                _send(TaskFound(at=at, task=task), self._of_events)
                _send(TaskFinished(at=at, outcome=Skipped(task=task)), self._of_events)


def _send(event: Event, observers: Sequence[Observer]) -> None:
    for observer in observers:
        observer.on_event(event)
