"""The durable record: which tasks are done, which failed and why, which are pending. The contract of every ledger."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from pixmill.engine.task import Attempt, Counts, Failure, Outcome, State, Task


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger holds of one key.

    ``attempts`` counts the tries of this id that ended by a fault of their own; ``interruptions`` the runs that died with it
    in flight. ``result`` is set when done, ``failure`` when failed.
    """

    key: bytes
    id: bytes
    state: State
    attempts: int = 0
    interruptions: int = 0
    result: bytes = b""
    failure: Failure | None = None
    seconds: float = 0.0
    finished_at: float = 0.0


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: ``ended_at`` is 0 while it goes on, and stays 0 when it was killed. ``about`` is the caller's own JSON."""

    number: int
    started_at: float
    ended_at: float = 0.0
    reason: str = ""
    counts: Counts = Counts()
    about: bytes = b""


class Ledger(Protocol):
    """One writer at a time, which is the coordinator's business (it holds a lock). Every method that changes something is
    durable when it returns: it survives ``kill -9`` at the next instruction.
    """

    def begin(self, about: bytes = b"") -> int:
        """Open a run and return its number. Tasks left in flight by a dead run get one interruption more and are pending."""

    def admit(self, tasks: Sequence[Task]) -> list[Record]:
        """Return what is known of each task, in order.

        A key that is new, or known with another id, becomes a fresh pending record (0 attempts). The keys of one call are
        distinct.
        """

    def start(self, attempts: Sequence[Attempt]) -> None:
        """Record that these tries are about to begin: they are in flight, and each counts as an attempt."""

    def release(self, tasks: Sequence[Task]) -> None:
        """Take back tries that were started and never ran, or were cut short through no fault of theirs: not counted."""

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes (``Done`` and ``Failed``; ``Skipped`` leaves the record as it is)."""

    def end(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin`` opened."""

    def counts(self) -> Counts:
        """Return the number of records by state (``skipped`` is 0: a ledger knows only what is done)."""

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys, all or those in ``state``, in constant memory."""

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs, oldest first."""

    def forget(self, keys: Iterable[bytes]) -> int:
        """Make these keys new again (pending, no attempts, no id); return how many there were."""

    def close(self) -> None:
        """Let go of every resource; a second call does nothing."""
