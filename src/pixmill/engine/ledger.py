"""The durable record: which tasks are done, which failed and why, which are pending. The contract of every ledger."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from pixmill.engine.task import Attempt, Counts, Failure, Outcome, State, Task

#: the reason of a run that ended because nothing was left to do
FINISHED = "finished"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger holds of one key.

    ``attempts`` counts the tries of this id, without those that were taken back or died with their run; ``interruptions``
    the runs that died with it in flight. ``result`` is set when done, ``failure`` when failed; ``seconds`` and
    ``finished_at`` (since the epoch) when either. ``former``, when it is not done, is the result with which this key was done
    last, under whatever id. ``is_new`` says that ``admit`` has found nothing on record of the key; it is not kept.
    """

    key: bytes
    id: bytes
    state: State
    attempts: int = 0
    interruptions: int = 0
    result: bytes = b""
    failure: Failure | None = None
    former: bytes = b""
    seconds: float = 0.0
    finished_at: float = 0.0
    is_new: bool = False


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: ``ended_at`` is 0 while it goes on, and stays 0 when it was killed. ``about`` is the caller's own JSON."""

    number: int
    started_at: float
    ended_at: float = 0.0
    reason: str = ""
    counts: Counts = Counts()
    metadata: bytes = b""


class LedgerView(Protocol):
    """What can be read of a ledger, or of several as one."""

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return what is on record for each key, under whatever id, in order; ``None`` for a new one. Changes nothing."""

    def counts(self) -> Counts:
        """Return the number of records by state (``skipped`` is 0: a ledger knows only what is done)."""

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys, all or those in ``state``, in constant memory.

        The ledger may be changed meanwhile, by this process or another; a record that has been yielded does not come again.
        """

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs, oldest first."""


@runtime_checkable
class Ledger(LedgerView, Protocol):
    """What is known of every task, for one writer at a time, which is the coordinator's business (it holds a lock).

    Every method that changes something is durable when it returns: it survives ``kill -9`` at the next instruction.
    ``RunError`` when it cannot be.

    What is said of a key under another id than the one on record is ignored: a newer version of the unit has been found.
    """

    def begin_run(self, metadata: bytes = b"") -> int:
        """Open a run and return its number, from 1.

        Tasks that a dead run left in flight get one interruption more and are pending; the try that died is not counted.
        """

    def get_or_add(self, tasks: Sequence[Task]) -> list[Record]:
        """Return what is known of each task, in order.

        A key that is new, or known with another id, becomes a fresh pending record (0 attempts, 0 interruptions) that keeps
        what it was done with as its ``former``. The keys of one call are distinct.
        """

    def renew(self, tasks: Sequence[Task]) -> None:
        """Make each task a fresh pending record under its id, as ``admit`` does with those that it finds new."""

    def get_exact(self, tasks: Sequence[Task]) -> list[Record | None]:
        """Return what is known of each task under its very id, in order; ``None`` for a new one. Changes nothing."""

    def beginning_with(self, prefix: bytes) -> list[Record]:
        """Return what is on record of the first hundred keys that begin with ``prefix``, in their order. Changes nothing."""

    def start_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record that these tries are about to begin: their tasks are pending, in flight, and each counts as an attempt.

        A task that is done or failed is renewed before, or what it was done with before it failed is no longer known.

        A task stays in flight until ``finish`` or ``release``, also while it waits to be tried again.
        """

    def release_attempts(self, tasks: Sequence[Task]) -> None:
        """Take back tries that were started and never ran, or were cut short through no fault of theirs: not counted.

        A task that is not in flight is left as it is.
        """

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes. ``Skipped`` and a ``remembered`` failure leave the record as it is.

        A try that ended in ``Skipped`` is released.
        """

    def end_run(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin`` opened; its counts are what it did, not what the ledger holds."""

    def import_records(self, records: Iterable[Record]) -> int:
        """Take over what another ledger knows in place of what this one did; return how many.

        The keys are distinct. A try that is in flight there counts as one that has ended.
        """

    def reset(self, keys: Iterable[bytes]) -> int:
        """Make these keys new again (pending, no attempts, no id), but for their ``former``; return how many there were."""

    def delete(self, keys: Iterable[bytes]) -> list[Record]:
        """Remove these keys, whose units are gone for good, and return what was known of them."""

    def close(self) -> None:
        """Let go of every resource; a second call does nothing."""
