"""Collect outcomes for the ledger: several share one commit, and none waits long for the others.

A commit flushes the disk, and with small tasks it takes more of the coordinator's time than all its other work for a task.
"""

from collections.abc import Iterable

from pixmill.engine.clock import Clock
from pixmill.engine.task import Outcome

_MAX_OUTCOMES = 64
_MAX_DELAY = 0.05  # seconds: work to repeat after a kill -9, and the delay until observers see an outcome


class CommitBatch:
    """Holds outcomes in order until the batch is full or the first one has waited long enough."""

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._outcomes: list[Outcome] = []
        self._due = 0.0

    def __bool__(self) -> bool:
        """Return whether there are any outcomes."""
        return bool(self._outcomes)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add ``outcomes``."""
        if not self._outcomes:
            self._due = self._clock.elapsed() + _MAX_DELAY
        self._outcomes.extend(outcomes)

    def is_due(self) -> bool:
        """Return whether to commit now."""
        return len(self._outcomes) >= _MAX_OUTCOMES or (bool(self._outcomes) and self._clock.elapsed() >= self._due)

    def pause(self) -> float | None:
        """Return the seconds until the batch is due, ``None`` when it is empty."""
        return max(0.0, self._due - self._clock.elapsed()) if self._outcomes else None

    def take(self) -> list[Outcome]:
        """Remove and return all outcomes."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes
