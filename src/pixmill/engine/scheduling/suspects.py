"""The tasks that were at work when runs died: one of them may have killed the run, and its neighbours are innocent.

After the first death a suspect waits until the other tasks are finished, and runs among suspects; after the second it runs alone.
A task that ends, well or not, is no suspect any more. A task that runs die with although it is alone is the cause.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from pixmill.engine.ledger import Record
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Failure

#: deaths after which a suspect runs alone
DEATHS_TOGETHER = 2
_DEATHS_ALONE = 2
_MIN_SECONDS = 0.3  # the coordinator shows that it is alive only every quarter of a second
_HINT = "if the runs had a time limit, give them more time, and if they ran out of memory, more memory; then: pixmill retry DST"


class Suspect(NamedTuple):
    """The next attempt at a suspect, and when its last one began, in seconds since the epoch."""

    attempt: Attempt
    tried_at: float


class Suspects:
    """The suspects that wait for the end of all other tasks, the least recently tried one first.

    There are few of them: a death makes no more suspects than there are workers.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._together: list[tuple[float, int, Attempt]] = []
        self._alone: list[tuple[float, int, Attempt]] = []
        self._order = count()

    def __len__(self) -> int:
        """Return the number of suspects."""
        return len(self._together) + len(self._alone)

    def __iter__(self) -> Iterator[Attempt]:
        """Yield the attempt of each."""
        yield from (attempt for _, _, attempt in (*self._together, *self._alone))

    def add(self, suspects: Iterable[Suspect]) -> None:
        """Add ``suspects``."""
        for attempt, tried_at in suspects:
            queue = self._alone if attempt.deaths >= DEATHS_TOGETHER else self._together
            heapq.heappush(queue, (tried_at, next(self._order), attempt))

    def take_together(self) -> list[Attempt]:
        """Remove and return the suspects that may run at the same time."""
        return _drain(self._together)

    def take_alone(self) -> Attempt | None:
        """Remove and return the next suspect that must run alone, ``None`` if there is none."""
        return heapq.heappop(self._alone)[2] if self._alone else None

    def take_all(self) -> list[Attempt]:
        """Remove and return all suspects."""
        return _drain(self._together) + _drain(self._alone)


def _drain(queue: list[tuple[float, int, Attempt]]) -> list[Attempt]:
    return [heapq.heappop(queue)[2] for _ in range(len(queue))]


def exhausted_failure(record: Record, policy: Policy) -> Failure | None:
    """Return the failure of a task that runs died with too often, ``None`` for any other."""
    alone = min(_DEATHS_ALONE, max(0, policy.interruptions - DEATHS_TOGETHER))
    if record.interruptions < policy.interruptions or record.lone_deaths < alone:
        return None
    return Failure(code="interrupted", stage="", message=_message(record), hint=_HINT)


def _message(record: Record) -> str:
    times = "" if record.interruptions == 1 else f" {record.interruptions} times"
    message = f"the run was killed{times} while it worked on this image"
    if len(record.death_seconds) == record.interruptions:
        message += f", after {_enumerated([_duration(seconds) for seconds in record.death_seconds])}"
    if record.lone_deaths:
        last = "the last time" if record.lone_deaths == 1 else f"the last {record.lone_deaths} times"
        message += f"; {last} it ran alone"
    return message


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= _MIN_SECONDS else f"under {_MIN_SECONDS} s"


def _enumerated(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
