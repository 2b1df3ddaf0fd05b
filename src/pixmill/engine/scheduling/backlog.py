"""The attempts that wait to be submitted: ready now, delayed, exclusive, or at suspects."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count

from pixmill.engine.scheduling.suspects import Suspects
from pixmill.engine.task import Attempt


class Backlog:
    """Attempts that have not been submitted, in four queues.

    ``exclusive`` attempts may only run when nothing else does: their workers were killed, probably out of memory, or they are at
    suspects. ``suspects`` are not ready before ``release_suspects``.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.exclusive: deque[Attempt] = deque()
        self.suspects = Suspects()
        self._ready: deque[Attempt] = deque()
        self._delayed: list[tuple[float, int, Attempt]] = []
        self._order = count()

    def __len__(self) -> int:
        """Return the number of attempts in all queues."""
        return self.unsuspected + len(self.suspects)

    def __iter__(self) -> Iterator[Attempt]:
        """Yield all attempts."""
        yield from self._ready
        yield from self.exclusive
        yield from (attempt for _, _, attempt in self._delayed)
        yield from self.suspects

    @property
    def unsuspected(self) -> int:
        """The number of attempts in the other queues than that of the suspects."""
        return len(self._ready) + len(self._delayed) + len(self.exclusive)

    def append(self, attempts: Iterable[Attempt]) -> None:
        """Add new attempts at the end."""
        self._ready.extend(attempts)

    def requeue_first(self, attempts: Iterable[Attempt]) -> None:
        """Add attempts at the front: they have already waited."""
        self._ready.extendleft(attempts)

    def delay(self, attempt: Attempt, due: float) -> None:
        """Hold ``attempt`` until the clock shows ``due``."""
        heapq.heappush(self._delayed, (due, next(self._order), attempt))

    def promote_due(self, now: float) -> None:
        """Move the delayed attempts that are due to the ready queue."""
        while self._delayed and self._delayed[0][0] <= now:
            attempt = heapq.heappop(self._delayed)[2]
            (self.exclusive if attempt.exclusive else self._ready).append(attempt)

    def release_suspects(self, *, alone: bool) -> None:
        """Make suspects ready, since nothing else is left: those that may run together, else one to run ``alone``.

        Without ``alone`` all of them run together.
        """
        if not alone:
            self._ready.extend(self.suspects.take_all())
        elif together := self.suspects.take_together():
            self._ready.extend(together)
        elif suspect := self.suspects.take_alone():
            self.exclusive.append(suspect)

    def next_due(self) -> float | None:
        """Return when the next delayed attempt is due, ``None`` when there is none."""
        return self._delayed[0][0] if self._delayed else None

    @property
    def ready(self) -> int:
        """The number of attempts that could be submitted now."""
        return len(self._ready)

    def take(self, wanted: int) -> list[Attempt]:
        """Remove and return up to ``wanted`` ready attempts, in order."""
        return [self._ready.popleft() for _ in range(min(wanted, len(self._ready)))]

    def clear(self) -> list[Attempt]:
        """Remove and return all attempts."""
        attempts = list(self)
        for queue in (self.exclusive, self._ready, self._delayed):
            queue.clear()
        self.suspects.take_all()
        return attempts
