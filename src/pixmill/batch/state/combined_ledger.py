"""The ledgers of an output, one for an unsplit run or one per shard, read as one.

Counts are exact, never estimates. Ledgers are opened one at a time, so a thousand shards need no more files or memory than one.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import groupby

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.state.ledger_files import LedgerFile, open_to_write
from pixmill.batch.state.source_keys import SourceKeys, combined
from pixmill.core.errors import RunError
from pixmill.engine.ledger import LedgerView, Record, RunRecord
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Counts, State


class LedgerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The content of one ledger: its ``counts`` and its ``runs``, oldest first."""

    file: LedgerFile
    counts: Counts
    runs: tuple[RunRecord, ...]


class CombinedLedger(LedgerView):
    """Several ledgers as one. After a change of the split a key can be in more than one: then the most recent ledger wins."""

    def __init__(self, ledger_files: Sequence[LedgerFile]) -> None:
        """Read ``ledger_files``, without those that a more recent split has replaced completely."""
        self._last_started: dict[Shard, float] = {}
        if len({each.shard.count for each in ledger_files}) > 1:
            self._last_started = {each.shard: _last_start(ledger) for each, ledger in _opened(ledger_files)}
            ledger_files = [each for each in ledger_files if not self._is_superseded(each.shard)]
        self.ledger_files = tuple(ledger_files)

    @property
    def is_one_split(self) -> bool:
        """Tell whether all ledgers are of the same split, so that no key can be in two of them."""
        return len({each.shard.count for each in self.ledger_files}) == 1

    def summaries(self) -> Iterator[LedgerSummary]:
        """Yield a summary of each ledger."""
        for file, ledger in _opened(self.ledger_files):
            yield LedgerSummary(file=file, counts=ledger.counts(), runs=tuple(ledger.runs()))

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return the record of each key, in order, ``None`` where there is none."""
        by_key: dict[bytes, Record] = {}
        for _, ledger in _opened(self._most_recent_first()[::-1]):
            by_key.update((record.key, record) for record in ledger.get(keys) if record)
        return [by_key.get(key) for key in keys]

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
        """Yield the runs of all ledgers, oldest first."""
        runs = [run for _, ledger in _opened(self.ledger_files) for run in ledger.runs()]
        yield from sorted(runs, key=lambda run: run.started_at)

    def owners(self, begin: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the names in a range with their owners, in order of the names within each ledger."""
        for _, ledger in _opened(self.ledger_files):
            yield from ledger.owners(begin, end)

    def sources(self) -> dict[bytes, bytes]:
        """Return the prefix of each source, by its root."""
        return combined(ledger.sources() for _, ledger in _opened(self.ledger_files))

    def toolsets(self) -> dict[int, str]:
        """Return the sets of libraries that made results, by their number."""
        return {number: text for _, ledger in _opened(self.ledger_files) for number, text in ledger.toolsets().items()}

    def reset(self, keys: Collection[bytes]) -> None:
        """Reset these keys to new in all ledgers; ``RunError`` while a run holds one of the ledgers."""
        for each in self.ledger_files:
            if each.is_locked():
                part = "" if each.shard.count == 1 else f"shard {each.shard} of "
                raise RunError(f"a run is working on {part}this output", code="locked", hint="wait for it, or stop it")
        source_keys = SourceKeys(prefixes=self.sources())
        for each in self.ledger_files:
            with closing(open_to_write(each.folder)) as ledger:
                ledger.reset(key for key in keys if each.shard.takes(source_keys.path(key)))

    def _merged(self) -> Iterator[Record]:
        """Yield the records of all ledgers in order of their keys, for each key that of the most recent ledger."""
        with ExitStack() as stack:
            streams = [stack.enter_context(closing(each.open())).records() for each in self._most_recent_first()]
            for _, same in groupby(heapq.merge(*streams, key=_key), key=_key):
                yield next(same)

    def _most_recent_first(self) -> list[LedgerFile]:
        return sorted(self.ledger_files, key=lambda each: -self._last_started.get(each.shard, 0.0))

    def _is_superseded(self, shard: Shard) -> bool:
        """Tell whether all parts of another split have a ledger, and started their last run later."""
        counts = {other.count for other in self._last_started} - {shard.count}
        return any(
            all(
                self._last_started.get(Shard(index, count), 0.0) > self._last_started.get(shard, 0.0)
                for index in range(1, count + 1)
            )
            for count in counts
        )


def total(parts: Iterable[Counts]) -> Counts:
    """Return the sum of ``parts``."""
    done = failed = pending = 0
    for part in parts:
        done, failed, pending = done + part.done, failed + part.failed, pending + part.pending
    return Counts(done=done, failed=failed, pending=pending)


def _opened(files: Sequence[LedgerFile]) -> Iterator[tuple[LedgerFile, SqliteLedger]]:
    """Yield each file with its ledger, open until the next one; skip a ledger that is only just being created."""
    for file in files:
        try:
            ledger = file.open()
        except RunError as error:
            if error.code != "ledger-missing":
                raise
        else:
            with closing(ledger):
                yield file, ledger


def _last_start(ledger: SqliteLedger) -> float:
    """Return when the last run started, in seconds since the epoch; 0 when there was none."""
    return max((run.started_at for run in ledger.runs()), default=0.0)


def _key(record: Record) -> bytes:
    return record.key
