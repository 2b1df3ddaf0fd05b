"""How many tasks to queue at a worker, so that it never waits for the next one and no task waits long behind another."""

#: seconds of work to keep queued: thirty times the longest loop iteration of a busy coordinator, so that a few may coincide
_TARGET_SECONDS = 0.1
_MAX_DEPTH = 512
_WEIGHT = 0.2


class Prefetch:
    """Adapts the queue depth to how long tasks take: hundreds for tasks of microseconds, one queued behind a long task."""

    def __init__(self, *, target_seconds: float = _TARGET_SECONDS, batch_size: int = 1, ahead: int = 0) -> None:
        """Start with a single batch, to measure how long tasks take. ``target_seconds``: the seconds of work to keep queued.

        ``ahead``: further tasks, whose inputs the worker reads at the same time.
        """
        self.ahead = ahead
        self.depth = batch_size
        self._batch_size = batch_size
        self._target_seconds = target_seconds
        self._mean = 0.0

    def record(self, seconds: float) -> None:
        """Record that a task took ``seconds``. The depth at most doubles with each task, and shrinks at once."""
        self._mean = seconds if self._mean == 0.0 else self._mean + (seconds - self._mean) * _WEIGHT
        fits = self._mean * _MAX_DEPTH <= self._target_seconds
        target_depth = _MAX_DEPTH if fits else 2 * self._batch_size + int(self._target_seconds / self._mean)
        self.depth = min(target_depth, 2 * self.depth)

    def free(self, in_flight: int) -> int:
        """Return how many tasks to add to the ``in_flight`` ones: none until half are done, so that they are sent in batches.

        Inputs that are read ahead arrive one by one: then each task that is done is replaced at once.
        """
        if self.ahead:
            return max(0, self.depth + self.ahead - in_flight)
        return self.depth - in_flight if 2 * in_flight <= self.depth else 0

    def queued_seconds(self, in_flight: int) -> float:
        """Return the seconds of work queued behind the running one of ``in_flight`` tasks."""
        return max(0, in_flight - 1) * self._mean
