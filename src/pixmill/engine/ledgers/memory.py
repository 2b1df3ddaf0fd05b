"""A ledger that lasts as long as its process: for tests, and for runs that will not be resumed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from pixmill.engine.ledger import Claims, IsSame, Ledger, Record, RunRecord, is_released, toolset_number
from pixmill.engine.task import Attempt, BegunTask, Counts, Done, Failed, Outcome, Skipped, State, Task


class MemoryLedger(Ledger):
    """Keeps everything in dictionaries. ``clock`` gives seconds since the epoch."""

    def __init__(self, *, clock: Callable[[], float] = time.time, claims: Claims | None = None) -> None:
        """Start empty."""
        self._clock = clock
        self._claims = claims
        self._owners: dict[bytes, bytes] = {}
        self._prefixes: dict[bytes, bytes] = {}
        self._records: dict[bytes, Record] = {}
        self._in_flight: set[bytes] = set()
        self._runs: list[RunRecord] = []
        self._toolsets: dict[int, str] = {}

    def begin_run(self, metadata: bytes = b"", *, begun: Sequence[BegunTask] = ()) -> int:
        """Open a run and return its number."""
        for key in self._in_flight:
            record = self._records[key]
            record = replace(record, attempts=record.attempts - 1)
            for each in begun:
                if each.id == record.id:
                    record = _suspected(record, each)
            self._records[key] = record
        self._in_flight.clear()
        number = len(self._runs) + 1
        self._runs.append(RunRecord(number=number, started_at=self._clock(), metadata=metadata))
        return number

    def get_or_add(self, tasks: Sequence[Task], *, is_same: IsSame | None = None) -> list[Record]:
        """Return the record of each task, in order; add the new ones."""
        return [self._get(task) or self._carried_on(task, is_same) or self._add(task) for task in tasks]

    def renew(self, tasks: Sequence[Task]) -> None:
        """Give each task a fresh pending record."""
        for task in tasks:
            self._add(task)

    def get_exact(self, tasks: Sequence[Task]) -> list[Record | None]:
        """Return the record of each task under exactly its id, in order."""
        return [self._get(task) for task in tasks]

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return the record of each key, in order."""
        return [self._records.get(key) for key in keys]

    def start_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record that these attempts are about to start."""
        for attempt in attempts:
            record = self._get(attempt.task)
            if record:
                started = Record(key=record.key, id=record.id, state=State.PENDING, former=record.result)
                if record.state is State.PENDING:
                    started = replace(started, former=record.former)
                self._records[record.key] = replace(
                    started,
                    attempts=record.attempts + 1,
                    interruptions=record.interruptions,
                    lone_deaths=record.lone_deaths,
                    tried_at=record.tried_at,
                    death_seconds=record.death_seconds,
                )
                self._in_flight.add(record.key)

    def release_attempts(self, tasks: Sequence[Task]) -> None:
        """Do not count attempts that were started and never ran."""
        for task in tasks:
            record = self._get(task)
            if record and task.key in self._in_flight:
                self._records[task.key] = replace(record, attempts=record.attempts - 1)
                self._in_flight.discard(task.key)

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes."""
        self.release_attempts([each.task for each in outcomes if is_released(each)])
        for outcome in outcomes:
            record = self._get(outcome.task)
            if record is None:
                continue
            finished = _finished(record, outcome, self._clock())
            if finished is not record:
                self._records[record.key] = finished
                self._in_flight.discard(record.key)

    def end_run(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin_run`` opened."""
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
        """Import another ledger's records; return their number."""
        imported = {record.key: record for record in records}
        self._in_flight.difference_update(imported)
        self._records.update(imported)
        for record in imported.values():
            result = record.result or record.former
            self.claim((name, record.key) for name in (self._claims.of_result(result) if self._claims and result else ()))
        return len(imported)

    def reset(self, keys: Iterable[bytes]) -> int:
        """Reset these keys; return how many had a record."""
        present = {key for key in keys if key in self._records}
        for key in present:
            self._fresh(key, b"")
        return len(present)

    def delete(self, keys: Iterable[bytes]) -> list[Record]:
        """Remove these keys and return their records."""
        present = [key for key in dict.fromkeys(keys) if key in self._records]
        self._in_flight.difference_update(present)
        return [self._records.pop(key) for key in present]

    def owners(self, begin: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the names in a range, each with the key of its owner."""
        yield from sorted(each for each in self._owners.items() if begin <= each[0] < end)

    def claim(self, names: Iterable[tuple[bytes, bytes]]) -> None:
        """Give each name to the task with the key beside it, unless another task owns it."""
        for name, owner in names:
            self._owners.setdefault(name, owner)

    def disown(self, names: Iterable[bytes]) -> None:
        """Free these names."""
        for name in names:
            self._owners.pop(name, None)

    def sources(self) -> dict[bytes, bytes]:
        """Return the prefix of each source, by its root."""
        return dict(self._prefixes)

    def add_sources(self, prefixes: Mapping[bytes, bytes]) -> None:
        """Note the prefix of each source."""
        self._prefixes.update(prefixes)

    def toolsets(self) -> dict[int, str]:
        """Return the sets of libraries that made results, by their number."""
        return dict(self._toolsets)

    def add_toolset(self, versions: str) -> int:
        """Note a set of libraries, unless it is known, and return its number."""
        number = toolset_number(versions, self._toolsets)
        self._toolsets[number] = versions
        return number

    def close(self) -> None:
        """Keep everything: the object is the ledger."""

    def _get(self, task: Task) -> Record | None:
        record = self._records.get(task.key)
        return record if record and record.id == task.id else None

    def _carried_on(self, task: Task, is_same: IsSame | None) -> Record | None:
        """Return the record of ``task`` under another id, now under its own."""
        record = self._records.get(task.key)
        if record is None or not record.id or is_same is None or not is_same(task, record):
            return None
        record = self._records[task.key] = replace(record, id=task.id)
        self.claim((name, task.key) for name in (self._claims.of_task(task) if self._claims else ()))
        return record

    def _add(self, task: Task) -> Record:
        is_new = task.key not in self._records
        self.claim((name, task.key) for name in (self._claims.of_task(task) if self._claims else ()))
        return replace(self._fresh(task.key, task.id), is_new=is_new)

    def _fresh(self, key: bytes, identity: bytes) -> Record:
        self._in_flight.discard(key)
        previous = self._records.get(key)
        former = (previous.result or previous.former) if previous else b""
        record = self._records[key] = Record(key=key, id=identity, state=State.PENDING, former=former)
        return record


def _suspected(record: Record, begun: BegunTask) -> Record:
    return replace(
        record,
        interruptions=record.interruptions + 1,
        lone_deaths=record.lone_deaths + begun.alone,
        tried_at=begun.started_at,
        death_seconds=(*record.death_seconds, round(begun.seconds, 1)),
    )


def _finished(record: Record, outcome: Outcome, now: float) -> Record:
    cleared = replace(record, interruptions=0, lone_deaths=0, tried_at=0.0, death_seconds=())
    match outcome:
        case Done():
            return replace(
                cleared, state=State.DONE, result=outcome.result, failure=None, former=b"", seconds=outcome.seconds, finished_at=now
            )
        case Skipped(result=result) if result:
            return replace(record, state=State.DONE, result=result, failure=None, former=b"", seconds=0.0, finished_at=now)
        case Failed(remembered=False):
            state, failure, former = State.FAILED, outcome.failure, record.result or record.former
            return replace(
                cleared, state=state, result=b"", failure=failure, former=former, seconds=outcome.seconds, finished_at=now
            )
        case _:
            return record
