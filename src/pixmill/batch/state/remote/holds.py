"""What makes a run wait although its images could be processed: the lock of its output is late, or the listing of its source."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pixmill.engine.scheduling.store_breaker import Hold
from pixmill.storage.retry.outage import OutagePolicy


@runtime_checkable
class HoldsWork(Protocol):
    """An observer without whose consent no work may begin."""

    def waiting(self) -> str:
        """Return what it waits for; empty while work may begin."""


def hold(policy: OutagePolicy, holders: Sequence[HoldsWork]) -> Hold | None:
    """Return what waits for a store: the lock of an output, without which nothing may be written, or the listing of SRC."""
    reason = next(filter(None, (each.waiting() for each in holders)), "")
    if reason:
        return Hold(reason, blocks=True)
    waiting = policy.waiting
    return Hold(waiting) if waiting else None
