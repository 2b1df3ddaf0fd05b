"""The contract of ledgers: the durable record of which tasks are done, which failed and why, and which are pending."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol, runtime_checkable

import msgspec

from pixmill.engine.task import UNCHANGED, Attempt, BegunTask, Counts, Done, Failed, Failure, Outcome, Skipped, State, Task

#: the reason of a run that ended because nothing was left to do
FINISHED = "finished"
#: the largest number of a set of libraries: results that contain it stay small
MAX_TOOLSET = (1 << 16) - 1
NOT_RECORDED = 0  # the set of results that an earlier version recorded, without the libraries


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger's record of one key.

    ``attempts`` counts the attempts of this id, except those that were released or died with their run. A pending task is a
    suspect if it was at work when runs died: ``interruptions`` counts those runs, ``lone_deaths`` the ones among them in which
    nothing else was at work; ``death_seconds`` are the seconds that it had in each; ``tried_at`` is when its attempt began in the
    last one, in seconds since the epoch. ``result`` is set when done, ``failure`` when failed; ``seconds`` and
    ``finished_at`` (since the epoch) when either. ``former``, when it is not done, is the last result of this key, under any id.
    ``is_new``: ``get_or_add`` found no record of the key; this is not stored.
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
    lone_deaths: int = 0
    tried_at: float = 0.0
    death_seconds: tuple[float, ...] = ()


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run: ``ended_at`` is 0 while it runs, and stays 0 if it was killed. ``metadata`` is the caller's own JSON."""

    number: int
    started_at: float
    ended_at: float = 0.0
    reason: str = ""
    counts: Counts = Counts()
    metadata: bytes = b""


class Claims(Protocol):
    """The names that belong to a task, such as those of its outputs; no other task gets them."""

    def of_task(self, task: Task) -> Iterable[bytes]:
        """Return the names that ``task`` needs."""

    def of_result(self, result: bytes) -> Iterable[bytes]:
        """Return the names that a finished task used, from its ``result``."""


#: tells whether a task is the version of its unit that a record with another id is about
IsSame = Callable[[Task, "Record"], bool]


class LedgerView(Protocol):
    """Read access to one ledger, or to several as one."""

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return the record of each key, under any id, in order; ``None`` for a new key. Changes nothing."""

    def counts(self) -> Counts:
        """Return the number of records by state (``skipped`` is 0: a ledger has no such state)."""

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys, all or those in ``state``, in constant memory.

        The ledger may change meanwhile, in this process or another; no record is yielded twice.
        """

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs, oldest first."""

    def owners(self, begin: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the names from ``begin`` to ``end`` (excluded) that tasks own, sorted, each with the key of its owner."""

    def sources(self) -> dict[bytes, bytes]:
        """Return, for the root of each source, the prefix of the keys of its tasks."""

    def toolsets(self) -> dict[int, str]:
        """Return the sets of libraries that made results, by their number: ``NOT_RECORDED`` for earlier versions."""


@runtime_checkable
class Ledger(LedgerView, Protocol):
    """The state of every task. It has one writer at a time, which the coordinator ensures with a lock.

    Every change is durable when its method returns: it survives ``kill -9`` at the next instruction. ``RunError`` when that is
    impossible.

    Updates for a key under another id than the recorded one are ignored: a newer version of the unit has been found.
    """

    def begin_run(self, metadata: bytes = b"", *, begun: Sequence[BegunTask] = ()) -> int:
        """Open a run and return its number, from 1.

        Tasks that a dead run left in flight become pending, and the attempt that died is not counted. Those of them that had
        ``begun`` have one more interruption.
        """

    def get_or_add(self, tasks: Sequence[Task], *, is_same: IsSame | None = None) -> list[Record]:
        """Return the record of each task, in order.

        A key that is new, or recorded with another id, gets a fresh pending record (0 attempts, 0 interruptions) that keeps
        its last result as ``former``, and owns the names that it claims from then on. The keys of one call are distinct.

        A record with another id that ``is_same`` as the task goes on under the task's id.
        """

    def renew(self, tasks: Sequence[Task]) -> None:
        """Give each task a fresh pending record under its id, as ``get_or_add`` does with new tasks."""

    def get_exact(self, tasks: Sequence[Task]) -> list[Record | None]:
        """Return the record of each task under exactly its id, in order; ``None`` for a new task. Changes nothing."""

    def start_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record that these attempts are about to start: their tasks become pending and in flight, and each attempt counts.

        Call ``renew`` first for a task that is done or failed, or the result from before its failure is lost.

        A task stays in flight until ``record_outcomes`` or ``release_attempts``, even while it waits for a retry.
        """

    def release_attempts(self, tasks: Sequence[Task]) -> None:
        """Do not count attempts that were started and never ran, or were cut short through no fault of their own.

        A task that is not in flight is left unchanged.
        """

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes; a task that is done or failed is no suspect any more.

        ``Skipped`` and a ``remembered`` failure leave the record unchanged.

        An attempt that ended in ``Skipped`` is released.
        """

    def end_run(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin_run`` opened; ``counts`` are those of the run, not of the ledger."""

    def import_records(self, records: Iterable[Record]) -> int:
        """Import another ledger's records, replacing those of the same keys; return their number.

        The keys are distinct. An attempt that is in flight there counts as ended.
        """

    def reset(self, keys: Iterable[bytes]) -> int:
        """Reset these keys (pending, no attempts, no id), keeping only ``former``; return how many had a record."""

    def delete(self, keys: Iterable[bytes]) -> list[Record]:
        """Remove these keys, whose units no longer exist, and return their records."""

    def claim(self, names: Iterable[tuple[bytes, bytes]]) -> None:
        """Give each name to the task with the key beside it, unless another task owns it."""

    def disown(self, names: Iterable[bytes]) -> None:
        """Free these names, which no task needs any more."""

    def add_sources(self, prefixes: Mapping[bytes, bytes]) -> None:
        """Note the prefix of each source, by its root."""

    def add_toolset(self, versions: str) -> int:
        """Note a set of libraries by the text of their ``versions``, and return its number, the same in all ledgers."""

    def close(self) -> None:
        """Release every resource; a second call does nothing."""


def is_recorded(outcome: Outcome) -> bool:
    """Tell whether ``outcome`` changes the record of its task."""
    match outcome:
        case Done():
            return True
        case Skipped():
            return bool(outcome.result)
        case Failed():
            return not outcome.remembered


def is_released(outcome: Outcome) -> bool:
    """Tell whether ``outcome`` releases the attempt that led to it."""
    return isinstance(outcome, Skipped) and outcome.reason != UNCHANGED and not outcome.result


def toolset_number(versions: str, known: Mapping[int, str]) -> int:
    """Return the number of a set of libraries: derived from its text, so that ledgers whose records are combined agree."""
    if not versions:
        return NOT_RECORDED
    number = next((number for number, text in known.items() if text == versions), 0)
    if not number:
        number = 1 + int.from_bytes(blake2b(versions.encode(), digest_size=8).digest(), "big") % MAX_TOOLSET
        while number in known:
            number = number % MAX_TOOLSET + 1
    return number
