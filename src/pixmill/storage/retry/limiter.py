"""Limit the requests in flight: fewer when a server throttles, more again while requests succeed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class AdaptiveLimiter:
    """The number of requests that may be in flight: halved when the storage throttles, raised a little with each success.

    Below one, the time between requests grows instead: at 1/4, a request that took a second is followed by a pause of three.
    This is additive increase and multiplicative decrease (AIMD): clients that share a storage converge to shares of its capacity.
    """

    MIN_LIMIT = 1 / 64
    INCREASE = 1 / 16

    def __init__(
        self, max_limit: float, *, min_limit: float = MIN_LIMIT, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """Start at ``max_limit``, which is never exceeded, and never fall below ``min_limit``."""
        self._min_limit = min_limit
        self.limit = self._max_limit = max_limit
        self._clock = clock
        self._sleep = sleep
        self._next_start = 0.0
        self._in_flight = 0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot, and occupy it."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_flight < max(1, int(self.limit)))
            self._in_flight += 1
            pause = self._next_start - self._clock()
        if pause > 0:
            self._sleep(pause)
        began = self._clock()
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                now = self._clock()
                self._next_start = now + max(0.0, (now - began) * (1 / self.limit - 1))
                self._changed.notify()

    def on_throttled(self) -> None:
        """Halve the limit."""
        with self._changed:
            self.limit = max(self._min_limit, self.limit / 2)

    def on_success(self) -> None:
        """Raise the limit."""
        with self._changed:
            self.limit = min(self._max_limit, self.limit + self.INCREASE)
            self._changed.notify()
