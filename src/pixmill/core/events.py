"""What happened, and whoever listens.

An event is a plain frozen record; its class is its kind. Observers run in the coordinator only, in its one thread, and
must be quick: they are called for every task.
"""

from typing import Protocol

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. ``at`` is seconds since the epoch."""

    at: float


class Observer(Protocol):
    """Whoever listens: ledger, metrics, progress, log."""

    def on_event(self, event: Event) -> None:
        """Take note of ``event``. An exception ends the run: an observer that cannot do its work is not ignored."""

    def close(self) -> None:
        """Write what is still held back and let go of every resource. Called once, however the run ended."""
