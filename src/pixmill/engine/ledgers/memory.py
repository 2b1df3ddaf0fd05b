"""A ledger that lasts as long as its process: for tests, and for runs that nobody means to resume."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from pixmill.engine.ledger import Ledger, Record, RunRecord
from pixmill.engine.task import UNCHANGED, Attempt, Counts, Done, Failed, Outcome, Skipped, State, Task

MOST_ALIKE = 100  # records of one prefix


class MemoryLedger(Ledger):
    """Keeps everything in dictionaries. ``clock`` gives seconds since the epoch."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        """Start empty."""
        self._clock = clock
        self._records: dict[bytes, Record] = {}
        self._in_flight: set[bytes] = set()
        self._runs: list[RunRecord] = []

    def begin_run(self, metadata: bytes = b"") -> int:
        """Open a run and return its number."""
        for key in self._in_flight:
            record = self._records[key]
            self._records[key] = replace(record, attempts=record.attempts - 1, interruptions=record.interruptions + 1)
        self._in_flight.clear()
        number = len(self._runs) + 1
        self._runs.append(RunRecord(number=number, started_at=self._clock(), metadata=metadata))
        return number

    def get_or_add(self, tasks: Sequence[Task]) -> list[Record]:
        """Return what is known of each task, in order."""
        return [self._known(task) or self._admitted(task) for task in tasks]

    def renew(self, tasks: Sequence[Task]) -> None:
        """Make each task a fresh pending record."""
        for task in tasks:
            self._fresh(task.key, task.id)

    def get_exact(self, tasks: Sequence[Task]) -> list[Record | None]:
        """Return what is known of each task under its very id, in order."""
        return [self._known(task) for task in tasks]

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return what is on record for each key, in order."""
        return [self._records.get(key) for key in keys]

    def beginning_with(self, prefix: bytes) -> list[Record]:
        """Return what is on record of the keys that begin with ``prefix``."""
        return [self._records[key] for key in sorted(self._records) if key.startswith(prefix)][:MOST_ALIKE]

    def start_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record that these tries are about to begin."""
        for attempt in attempts:
            record = self._known(attempt.task)
            if record:
                started = Record(key=record.key, id=record.id, state=State.PENDING, former=record.result)
                if record.state is State.PENDING:
                    started = replace(started, former=record.former)
                started = replace(started, attempts=record.attempts + 1, interruptions=record.interruptions)
                self._records[record.key] = started
                self._in_flight.add(record.key)

    def release_attempts(self, tasks: Sequence[Task]) -> None:
        """Take back tries that were started and never ran."""
        for task in tasks:
            record = self._known(task)
            if record and task.key in self._in_flight:
                self._records[task.key] = replace(record, attempts=record.attempts - 1)
                self._in_flight.discard(task.key)

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes."""
        self.release_attempts([each.task for each in outcomes if isinstance(each, Skipped) and each.reason != UNCHANGED])
        for outcome in outcomes:
            record = self._known(outcome.task)
            if record is None:
                continue
            finished = _finished(record, outcome, self._clock())
            if finished is not record:
                self._records[record.key] = finished
                self._in_flight.discard(record.key)

    def end_run(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin`` opened."""
        self._runs[-1] = replace(self._runs[-1], ended_at=self._clock(), counts=counts, reason=reason)

    def counts(self) -> Counts:
        """Return the number of records by state."""
        states = [record.state for record in self._records.values()]
        return Counts(done=states.count(State.DONE), failed=states.count(State.FAILED), pending=states.count(State.PENDING))

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys."""
        for key in sorted(self._records):
            record = self._records[key]
            if state is None or record.state == state:
                yield record

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs, oldest first."""
        yield from self._runs

    def import_records(self, records: Iterable[Record]) -> int:
        """Take over what another ledger knows; return how many records there were."""
        adopted = {record.key: record for record in records}
        self._in_flight.difference_update(adopted)
        self._records.update(adopted)
        return len(adopted)

    def reset(self, keys: Iterable[bytes]) -> int:
        """Make these keys new again; return how many there were."""
        known = {key for key in keys if key in self._records}
        for key in known:
            self._fresh(key, b"")
        return len(known)

    def delete(self, keys: Iterable[bytes]) -> list[Record]:
        """Remove these keys and return what was known of them."""
        known = [key for key in dict.fromkeys(keys) if key in self._records]
        self._in_flight.difference_update(known)
        return [self._records.pop(key) for key in known]

    def close(self) -> None:
        """Keep everything: the object is the ledger."""

    def _known(self, task: Task) -> Record | None:
        record = self._records.get(task.key)
        return record if record and record.id == task.id else None

    def _admitted(self, task: Task) -> Record:
        is_new = task.key not in self._records
        return replace(self._fresh(task.key, task.id), is_new=is_new)

    def _fresh(self, key: bytes, identity: bytes) -> Record:
        self._in_flight.discard(key)
        known = self._records.get(key)
        former = (known.result or known.former) if known else b""
        record = self._records[key] = Record(key=key, id=identity, state=State.PENDING, former=former)
        return record


def _finished(record: Record, outcome: Outcome, now: float) -> Record:
    match outcome:
        case Done():
            done = State.DONE
            return replace(
                record, state=done, result=outcome.result, failure=None, former=b"", seconds=outcome.seconds, finished_at=now
            )
        case Failed(remembered=False):
            failed, why, former = State.FAILED, outcome.failure, record.result or record.former
            return replace(record, state=failed, result=b"", failure=why, former=former, seconds=outcome.seconds, finished_at=now)
        case _:
            return record
