"""An observer that keeps what it is told."""

from typing import TypeVar

from pixmill.core.events import Event

EventT = TypeVar("EventT", bound=Event)


class Notes:
    """``events`` has all events, in their order."""

    def __init__(self) -> None:
        """Start without any."""
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        """Keep ``event``."""
        self.events.append(event)

    def close(self) -> None:
        """Do nothing: the events can still be read."""

    def of(self, kind: type[EventT]) -> list[EventT]:
        """Return the events of a ``kind``."""
        return [event for event in self.events if isinstance(event, kind)]
