"""An observer that keeps what it is told."""


class Notes:
    """``events`` has all events, in their order."""

    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)

    def close(self):
        """Do nothing: the events can still be read."""

    def of(self, kind):
        """Return the events of a ``kind``."""
        return [event for event in self.events if isinstance(event, kind)]
