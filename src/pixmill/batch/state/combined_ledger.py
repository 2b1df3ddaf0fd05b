"""The ledgers of an output, one of a whole run or one for each shard, read as one.

Counts are those of the rows that are there, never an estimate. Ledgers are opened one after the other, so that a thousand shards
need no more files and memory than one.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import groupby

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.state.ledger_files import LedgerFile, open_to_write
from pixmill.core.errors import RunError
from pixmill.engine.ledger import LedgerView, Record, RunRecord
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Counts, State


class LedgerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What one ledger holds: its ``counts`` and its ``runs``, oldest first."""

    file: LedgerFile
    counts: Counts
    runs: tuple[RunRecord, ...]


class CombinedLedger(LedgerView):
    """Several ledgers as one. A key that more than one knows, after a change of the split, is as the youngest has it."""

    def __init__(self, held: Sequence[LedgerFile]) -> None:
        """Read ``held``, without those that a younger split has taken over as a whole."""
        self._ages: dict[Shard, float] = {}
        if len({each.shard.count for each in held}) > 1:
            self._ages = {each.shard: _began(ledger) for each, ledger in _opened(held)}
            held = [each for each in held if not self._is_superseded(each.shard)]
        self.ledger_files = tuple(held)

    @property
    def is_one_split(self) -> bool:
        """Tell whether no key can be in two of them."""
        return len({each.shard.count for each in self.ledger_files}) == 1

    def summaries(self) -> Iterator[LedgerSummary]:
        """Yield what each of them holds."""
        for holding, ledger in _opened(self.ledger_files):
            yield LedgerSummary(file=holding, counts=ledger.counts(), runs=tuple(ledger.runs()))

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return what is on record for each key, in order."""
        known: dict[bytes, Record] = {}
        for _, ledger in _opened(self._youngest_first()[::-1]):
            known.update((record.key, record) for record in ledger.get(keys) if record)
        return [known.get(key) for key in keys]

    def counts(self) -> Counts:
        """Return the number of records by state."""
        if self.is_one_split:
            return total(ledger.counts() for _, ledger in _opened(self.ledger_files))
        states = [0] * len(State)
        order = list(State)
        for record in self._merged():
            states[order.index(record.state)] += 1
        return Counts(**{str(state): count for state, count in zip(order, states, strict=True)})

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records, in the order of their keys within each ledger."""
        if self.is_one_split:
            for _, ledger in _opened(self.ledger_files):
                yield from ledger.records(state)
        else:
            yield from (record for record in self._merged() if state in (None, record.state))

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs of all, oldest first."""
        runs = [run for _, ledger in _opened(self.ledger_files) for run in ledger.runs()]
        yield from sorted(runs, key=lambda run: run.started_at)

    def reset(self, keys: Collection[bytes]) -> None:
        """Make these keys new again, wherever they are known; ``RunError`` while a run has one of the ledgers."""
        for each in self.ledger_files:
            if each.is_locked():
                whose = "" if each.shard.count == 1 else f"shard {each.shard} of "
                raise RunError(f"a run is working on {whose}this output", code="locked", hint="wait for it, or stop it")
        for each in self.ledger_files:
            with closing(open_to_write(each.folder)) as ledger:
                ledger.reset(key for key in keys if each.shard.takes(key))

    def _merged(self) -> Iterator[Record]:
        """Yield the records of all ledgers in the order of their keys, of each key that of the youngest ledger."""
        with ExitStack() as stack:
            streams = [stack.enter_context(closing(each.open())).records() for each in self._youngest_first()]
            for _, same in groupby(heapq.merge(*streams, key=_key), key=_key):
                yield next(same)

    def _youngest_first(self) -> list[LedgerFile]:
        return sorted(self.ledger_files, key=lambda each: -self._ages.get(each.shard, 0.0))

    def _is_superseded(self, shard: Shard) -> bool:
        """Tell whether every part of another split is there, and has begun its last run later."""
        counts = {other.count for other in self._ages} - {shard.count}
        return any(
            all(self._ages.get(Shard(index, count), 0.0) > self._ages.get(shard, 0.0) for index in range(1, count + 1))
            for count in counts
        )


def total(parts: Iterable[Counts]) -> Counts:
    """Return the sum."""
    done = failed = pending = 0
    for part in parts:
        done, failed, pending = done + part.done, failed + part.failed, pending + part.pending
    return Counts(done=done, failed=failed, pending=pending)


def _opened(held: Sequence[LedgerFile]) -> Iterator[tuple[LedgerFile, SqliteLedger]]:
    """Yield each with its ledger, open until the next; without one that is only being made at this moment."""
    for holding in held:
        try:
            ledger = holding.open()
        except RunError as error:
            if error.code != "ledger-missing":
                raise
        else:
            with closing(ledger):
                yield holding, ledger


def _began(ledger: SqliteLedger) -> float:
    """Return when the last run began, in seconds since the epoch; 0 when there was none."""
    return max((run.started_at for run in ledger.runs()), default=0.0)


def _key(record: Record) -> bytes:
    return record.key
