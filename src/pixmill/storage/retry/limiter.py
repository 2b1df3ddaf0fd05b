"""How many requests may be in flight: fewer when a server asks for less, more again while it answers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class AdaptiveLimiter:
    """How many requests may be under way: halved when the storage refuses one, grown a little with each that it answers.

    Below one, the time between requests grows instead: at 1/4, a request that took a second is followed by a pause of three.
    This is additive increase and multiplicative decrease: many who share a storage come to shares of what it bears.
    """

    LEAST = 1 / 64
    STEP = 1 / 16

    def __init__(self, most: float, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Begin at ``most``, which is never exceeded."""
        self.limit = self._most = most
        self._clock = clock
        self._sleep = sleep
        self._opens_at = 0.0
        self._under_way = 0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a place, and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < max(1, int(self.limit)))
            self._under_way += 1
            pause = self._opens_at - self._clock()
        if pause > 0:
            self._sleep(pause)
        began = self._clock()
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                now = self._clock()
                self._opens_at = now + max(0.0, (now - began) * (1 / self.limit - 1))
                self._changed.notify()

    def on_throttled(self) -> None:
        """Halve the limit."""
        with self._changed:
            self.limit = max(self.LEAST, self.limit / 2)

    def on_success(self) -> None:
        """Let the limit grow."""
        with self._changed:
            self.limit = min(self._most, self.limit + self.STEP)
            self._changed.notify()
