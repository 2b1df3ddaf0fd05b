"""A clock for tests that advances only on request."""

from pixmill.engine.clock import Clock


class ManualClock(Clock):
    """Starts at ``now`` seconds since the epoch; only ``sleep`` advances it."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        """Start the clock at ``now``."""
        self._start = now
        self._elapsed = 0.0

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._start + self._elapsed

    def elapsed(self) -> float:
        """Return the seconds slept."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Advance the clock by ``seconds`` without waiting."""
        self._elapsed += seconds
