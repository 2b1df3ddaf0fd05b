"""Events and their observers.

An event is a plain frozen record; its class is its kind. Observers run only in the coordinator, in its single thread, and
must be fast: they are called for every task.
"""

from typing import Protocol

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. ``at`` is seconds since the epoch."""

    at: float


class Observer(Protocol):
    """A receiver of events: ledger, metrics, progress, log."""

    def on_event(self, event: Event) -> None:
        """Handle ``event``. An exception ends the run: a failing observer is not ignored."""

    def close(self) -> None:
        """Flush buffered data and release every resource. Called once, however the run ended."""
