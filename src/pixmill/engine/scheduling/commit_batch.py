"""Outcomes on their way into the ledger: several share one commit, and none waits long for the others.

A commit costs a flush of the disk, and with small tasks more of the coordinator's time than everything else that it does for one.
"""

from collections.abc import Iterable

from pixmill.engine.clock import Clock
from pixmill.engine.task import Outcome

_MAX_OUTCOMES = 64
_MAX_DELAY = 0.05  # seconds: what ended since is done again after a kill -9, and heard of that much later


class CommitBatch:
    """Keeps outcomes in their order until there are enough of them or the first has waited long enough."""

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._outcomes: list[Outcome] = []
        self._due = 0.0

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._outcomes)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take ``outcomes``."""
        if not self._outcomes:
            self._due = self._clock.elapsed() + _MAX_DELAY
        self._outcomes.extend(outcomes)

    def is_due(self) -> bool:
        """Tell whether they should go now."""
        return len(self._outcomes) >= _MAX_OUTCOMES or (bool(self._outcomes) and self._clock.elapsed() >= self._due)

    def pause(self) -> float | None:
        """Return the seconds until they should go, ``None`` when there are none."""
        return max(0.0, self._due - self._clock.elapsed()) if self._outcomes else None

    def take(self) -> list[Outcome]:
        """Return all of them, and keep none."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes
