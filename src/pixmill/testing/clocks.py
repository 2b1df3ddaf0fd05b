"""A clock that only moves when told to."""

from pixmill.engine.clock import Clock


class ManualClock(Clock):
    """Starts at ``now`` seconds since the epoch; ``sleep`` is what moves it."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        """Stand still."""
        self._start = now
        self._elapsed = 0.0

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._start + self._elapsed

    def elapsed(self) -> float:
        """Return the seconds slept."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self._elapsed += seconds
