"""How many tasks to queue at a worker, so that it never waits for the next and none waits long behind another."""

#: seconds of work to keep queued: thirty times the longest turn of a busy coordinator, so that it may do several things at once
_TARGET_SECONDS = 0.1
_MAX_DEPTH = 512
_WEIGHT = 0.2


class Prefetch:
    """Learns from how long tasks take: hundreds deep for tasks of microseconds, one queued behind a long one."""

    def __init__(self, *, ahead: float = _TARGET_SECONDS) -> None:
        """Start with one task, which tells how long the others may take. ``ahead``: the seconds of work to keep queued."""
        self.depth = 1
        self._seconds = ahead
        self._mean = 0.0

    def note(self, seconds: float) -> None:
        """Learn that a task took ``seconds``. The depth at most doubles with each, and falls at once."""
        self._mean = seconds if self._mean == 0.0 else self._mean + (seconds - self._mean) * _WEIGHT
        wanted = _MAX_DEPTH if self._mean * _MAX_DEPTH <= self._seconds else 2 + int(self._seconds / self._mean)
        self.depth = min(wanted, 2 * self.depth)

    def free(self, in_flight: int) -> int:
        """Return how many tasks to add to the ``in_flight`` ones: none until half have gone, so that they go in bunches."""
        return self.depth - in_flight if 2 * in_flight <= self.depth else 0

    def queued_seconds(self, in_flight: int) -> float:
        """Return the seconds for which there is work queued behind the one of ``in_flight`` tasks that has begun."""
        return max(0, in_flight - 1) * self._mean
