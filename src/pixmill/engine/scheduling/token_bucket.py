"""Limit a stream to a rate per second."""

from pixmill.engine.clock import Clock

_BURST_SECONDS = 0.1


class TokenBucket:
    """Gains ``rate`` tokens a second, up to a tenth of a second's worth (at least one), so that a pause causes no burst."""

    def __init__(self, rate: float, clock: Clock) -> None:
        """Start with a single token."""
        self._rate = rate
        self._clock = clock
        self._capacity = max(1.0, rate * _BURST_SECONDS)
        self._tokens = 1.0
        self._last_refill = clock.elapsed()

    def take(self, wanted: int) -> int:
        """Take up to ``wanted`` tokens; return the number taken."""
        now = self._clock.elapsed()
        self._tokens = min(self._capacity, self._tokens + (now - self._last_refill) * self._rate)
        self._last_refill = now
        taken = min(wanted, int(self._tokens + 1e-9))
        self._tokens -= taken
        return taken

    def put_back(self, count: int) -> None:
        """Give back tokens that were taken for what turned out to be only a part."""
        self._tokens += count

    def pause(self) -> float:
        """Return the seconds until the next token."""
        return max(0.0, (1.0 - self._tokens) / self._rate)
