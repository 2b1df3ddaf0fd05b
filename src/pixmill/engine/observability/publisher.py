"""Publish events to the observers."""

from collections.abc import Sequence

from pixmill.core.events import Event, Observer
from pixmill.engine.clock import Clock


class EventPublisher:
    """Creates each event once, with the time, and passes it to every observer. Costs nothing without observers."""

    def __init__(self, observers: Sequence[Observer], clock: Clock) -> None:
        """Publish to ``observers``, in their order."""
        self._observers = tuple(observers)
        self._clock = clock

    def publish(self, kind: type[Event], **fields: object) -> None:
        """Publish an event of this ``kind`` that happened now."""
        if not self._observers:
            return
        event = kind(at=self._clock.now(), **fields)
        for observer in self._observers:
            observer.on_event(event)
