"""Tell the observers what happens."""

from collections.abc import Sequence

from pixmill.core.events import Event, Observer
from pixmill.engine.clock import Clock


class EventPublisher:
    """Makes each event once, stamps it, and passes it on. Costs nothing when nobody listens."""

    def __init__(self, observers: Sequence[Observer], clock: Clock) -> None:
        """Tell ``observers``, in their order."""
        self._observers = tuple(observers)
        self._clock = clock

    def publish(self, kind: type[Event], **facts: object) -> None:
        """Tell everybody that an event of this ``kind`` happened now."""
        if not self._observers:
            return
        event = kind(at=self._clock.now(), **facts)
        for observer in self._observers:
            observer.on_event(event)
