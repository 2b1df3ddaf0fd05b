"""The ledger in a SQLite file: durable, readable while a run writes to it, and too fast to slow a run down."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Any
from zlib import crc32

import msgspec

from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.engine.ledger import Claims, IsSame, Ledger, Record, RunRecord, is_recorded, is_released, toolset_number
from pixmill.engine.sqlite.database import open_for_reading, open_for_writing, transaction, translating_errors
from pixmill.engine.sqlite.lookup import rows_near, rows_of
from pixmill.engine.sqlite.schema import Schema
from pixmill.engine.sqlite.statements import read_statements
from pixmill.engine.task import Attempt, BegunTask, Counts, Done, Failed, Failure, Outcome, Skipped, State, Task

_PACKAGE = "pixmill.engine.ledgers"
_SCHEMA = Schema(_PACKAGE, version=2, application=int.from_bytes(b"pxml", "big"))
_PENDING, _IN_FLIGHT, _DONE, _FAILED = range(4)
_STATES = (State.PENDING, State.PENDING, State.DONE, State.FAILED)
_ROWS_PER_COMMIT = 5000
_ROWS_PER_PAGE = 1000  # the limit in queries.sql
_RANGES = {None: (_PENDING, _FAILED), State.PENDING: (_PENDING, _IN_FLIGHT), State.DONE: (_DONE, _DONE)}


class SqliteLedger(Ledger):
    """One file. Every call that changes something is one commit, on disk when it returns.

    A damaged file (cut off, overwritten, not a database) is renamed to ``quarantined``, and a new ledger is created, in which
    everything is pending. Damage inside a row, which SQLite cannot detect, makes only that task pending. A file that vanishes or is
    damaged during a run ends the run: code ``ledger-lost``, ``ledger-damaged``.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        is_checked: bool = True,
        clock: Callable[[], float] = time.time,
        claims: Claims | None = None,
        is_durable: bool = True,
    ) -> None:
        """Open or create the ledger at ``path``. ``clock`` returns seconds since the epoch.

        With ``read_only`` it must exist, and can be read while a run is writing to it; without ``is_checked`` it is then opened
        at once, whatever its size, and damage shows when it is read. Tasks that are added own the names that
        ``claims`` returns. Without ``is_durable`` a power failure may undo the last commits.
        """
        self._path = path
        self._clock = clock
        self._claims = claims
        self._sql = read_statements(_PACKAGE, "queries.sql")
        self._connection, self.quarantined = (
            open_for_reading(path, _SCHEMA, is_checked=is_checked)
            if read_only
            else open_for_writing(path, _SCHEMA, fill=self._fill, is_durable=is_durable)
        )
        self._inode = path.stat().st_ino
        self._run = 0

    def begin_run(self, metadata: bytes = b"", *, begun: Sequence[BegunTask] = ()) -> int:
        """Open a run and return its number."""
        deaths = [(each.alone, each.started_at, f"{each.seconds:.1f}", each.id) for each in begun]
        with self._change() as connection:
            connection.executemany(self._sql["suspect"], deaths)
            connection.execute(self._sql["interrupt"])
            self._run = connection.execute(self._sql["begin"], (self._clock(), metadata)).lastrowid or 0
        return self._run

    def get_or_add(self, tasks: Sequence[Task], *, is_same: IsSame | None = None) -> list[Record]:
        """Return the record of each task, in order; add the new ones."""
        stored = self.get([task.key for task in tasks])
        records = [
            record if record and record.id == task.id else _current(task, record, is_same)
            for task, record in zip(tasks, stored, strict=True)
        ]
        new = [(task, now) for task, now, before in zip(tasks, records, stored, strict=True) if now is not before]
        if new:
            with self._change() as connection:
                connection.executemany(self._sql["import"], [_row(record) for _, record in new])
                connection.executemany(self._sql["claim"], _sealed(self._claimed(task for task, _ in new)))
        return records

    def renew(self, tasks: Sequence[Task]) -> None:
        """Give each task a fresh pending record."""
        stored = self.get([task.key for task in tasks])
        rows = [_row(_fresh(task.key, task.id, record)) for task, record in zip(tasks, stored, strict=True)]
        with self._change() as connection:
            connection.executemany(self._sql["import"], rows)
            connection.executemany(self._sql["claim"], _sealed(self._claimed(tasks)))

    def get_exact(self, tasks: Sequence[Task]) -> list[Record | None]:
        """Return the record of each task under exactly its id, in order."""
        records = self.get([task.key for task in tasks])
        return [record if record and record.id == task.id else None for task, record in zip(tasks, records, strict=True)]

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return the record of each key, in order."""
        with translating_errors(self._path):
            rows = {row[0]: row for row in rows_near(self._connection, self._sql["get_within"], self._sql["get"], sorted(keys))}
        return [_record(row) if row else None for row in map(rows.get, keys)]

    def start_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record that these attempts are about to start."""
        with self._change() as connection:
            connection.executemany(self._sql["start"], [(attempt.task.key, attempt.task.id) for attempt in attempts])

    def release_attempts(self, tasks: Sequence[Task]) -> None:
        """Do not count attempts that were started and never ran."""
        with self._change() as connection:
            connection.executemany(self._sql["release"], [(task.key, task.id) for task in tasks])

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes."""
        now = self._clock()
        changing = [outcome for outcome in outcomes if is_recorded(outcome)]
        former_results = self._former_results([outcome.task.key for outcome in changing if isinstance(outcome, Failed)])
        rows = [_outcome_row(outcome, now, former_results) for outcome in changing]
        released = [(each.task.key, each.task.id) for each in outcomes if is_released(each)]
        with self._change() as connection:
            connection.executemany(self._sql["finish"], rows)
            connection.executemany(self._sql["release"], released)

    def end_run(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin_run`` opened."""
        numbers = (counts.done, counts.skipped, counts.failed, counts.pending)
        with self._change() as connection:
            connection.execute(self._sql["end"], (self._clock(), reason, *numbers, self._run))

    def counts(self) -> Counts:
        """Return the number of records by state: one pass over the file, a fifth of a second for a million tasks."""
        with translating_errors(self._path):
            by_state = dict(self._connection.execute(self._sql["counts"]).fetchall())
        pending = by_state.get(_PENDING, 0) + by_state.get(_IN_FLIGHT, 0)
        return Counts(done=by_state.get(_DONE, 0), failed=by_state.get(_FAILED, 0), pending=pending)

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys, a page at a time, so that no read holds up the writer."""
        after = b""
        while rows := self._page(after, state):
            before, after = after, max(row[0] for row in rows)
            if after <= before:
                return  # damage has put keys out of order, and the same page would come forever
            for row in rows:
                record = _record(row) or Record(key=row[0], id=row[1], state=State.PENDING)
                if state in (None, record.state):
                    yield record

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs, oldest first."""
        with translating_errors(self._path):
            rows = self._connection.execute(self._sql["runs"]).fetchall()
        for number, started_at, ended_at, reason, done, skipped, failed, pending, metadata in rows:
            counts = Counts(done=done, skipped=skipped, failed=failed, pending=pending)
            yield RunRecord(
                number=number, started_at=started_at, ended_at=ended_at, reason=reason, counts=counts, metadata=metadata
            )

    def import_records(self, records: Iterable[Record]) -> int:
        """Import another ledger's records, a few thousand per commit; return their number."""
        imported, remaining = 0, iter(records)
        while chunk := list(islice(remaining, _ROWS_PER_COMMIT)):
            with self._change() as connection:
                connection.executemany(self._sql["import"], map(_row, chunk))
                connection.executemany(self._sql["claim"], _sealed(self._used_names(chunk)))
            imported += len(chunk)
        return imported

    def reset(self, keys: Iterable[bytes]) -> int:
        """Reset these keys; return how many had a record."""
        stored = [record for key in keys for record in self.get([key]) if record]
        with self._change() as connection:
            connection.executemany(self._sql["import"], (_row(_fresh(record.key, b"", record)) for record in stored))
        return len(stored)

    def delete(self, keys: Iterable[bytes]) -> list[Record]:
        """Remove these keys and return their records."""
        deleted = []
        with self._change() as connection:
            for key in keys:
                row = connection.execute(self._sql["get"], (key,)).fetchone()
                if row is not None:
                    deleted.append(_record(row) or Record(key=row[0], id=row[1], state=State.PENDING))
                    connection.execute(self._sql["delete"], (key,))
        return deleted

    def owners(self, begin: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the names in a range, each with the key of its owner, a page at a time."""
        while True:
            with translating_errors(self._path):
                rows = self._connection.execute(self._sql["owners"], (begin, end)).fetchall()
            yield from ((name, owner) for name, owner, seal in rows if seal == _seal(name, owner))
            if len(rows) < _ROWS_PER_PAGE:
                return
            begin = rows[-1][0] + b"\0"

    def owners_of(self, names: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the owner of each of ``names``, which are sorted, and of some beside them."""
        with translating_errors(self._path):
            rows = rows_near(self._connection, self._sql["owners_within"], self._sql["owners_of"], names)
        return {name: owner for name, owner, seal in rows if seal == _seal(name, owner)}

    def present(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of ``keys`` that have a record."""
        with translating_errors(self._path):
            return {key for (key,) in rows_of(self._connection, self._sql["present"], keys)}

    def claim(self, names: Iterable[tuple[bytes, bytes]]) -> None:
        """Give each name to the task with the key beside it, unless another task owns it."""
        rows = iter(names)
        while chunk := list(islice(rows, _ROWS_PER_COMMIT)):
            with self._change() as connection:
                connection.executemany(self._sql["claim"], _sealed(chunk))

    def disown(self, names: Iterable[bytes]) -> None:
        """Free these names."""
        with self._change() as connection:
            connection.executemany(self._sql["disown"], [(name,) for name in names])

    def sources(self) -> dict[bytes, bytes]:
        """Return the prefix of each source, by its root."""
        with translating_errors(self._path):
            rows = self._connection.execute(self._sql["sources"]).fetchall()
        return {root: prefix for root, prefix, seal in rows if seal == _seal(root, prefix)}

    def add_sources(self, prefixes: Mapping[bytes, bytes]) -> None:
        """Note the prefix of each source."""
        with self._change() as connection:
            connection.executemany(self._sql["add_source"], _sealed(prefixes.items()))

    def toolsets(self) -> dict[int, str]:
        """Return the sets of libraries that made results, by their number."""
        with translating_errors(self._path):
            return dict(self._connection.execute(self._sql["toolsets"]).fetchall())

    def add_toolset(self, versions: str) -> int:
        """Note a set of libraries, unless it is known, and return its number."""
        known = self.toolsets()
        number = toolset_number(versions, known)
        if number not in known:
            with self._change() as connection:
                connection.execute(self._sql["add_toolset"], (number, versions))
        return number

    def copy_to(self, path: Path) -> None:
        """Write a copy of the file, as it is now, to ``path``."""
        with translating_errors(self._path), closing(connect(path)) as copy:
            self._connection.backup(copy)

    @property
    def is_exclusive(self) -> bool:
        """Return whether no other process can use the open file, as when a dead run's recovery files cannot be shared."""
        return bool(self._connection.execute("PRAGMA locking_mode").fetchone() == ("exclusive",))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()

    def _claimed(self, tasks: Iterable[Task]) -> list[tuple[bytes, bytes]]:
        return [(name, task.key) for task in tasks for name in self._claims.of_task(task)] if self._claims else []

    def _fill(self, connection: Connection, since: int) -> None:
        """Fill in what ledgers of version 1 do not say: whose the recorded names are. Of libraries, note that they are unknown."""
        if since > 1:
            return
        connection.execute(self._sql["add_toolset"], (toolset_number("", {}), ""))
        if self._claims is None:
            return
        records = (_record(row) for row in connection.execute(self._sql["all"]))
        connection.executemany(self._sql["claim"], _sealed(self._used_names(filter(None, records))))

    def _used_names(self, records: Iterable[Record]) -> Iterator[tuple[bytes, bytes]]:
        for record in records:
            result = record.result or record.former
            if result and self._claims:
                yield from ((name, record.key) for name in self._claims.of_result(result))

    def _former_results(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the last result of each of ``keys`` that has one."""
        return {record.key: former for record in self.get(keys) if record and (former := record.result or record.former)}

    def _exists(self) -> bool:
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _page(self, after: bytes, state: State | None) -> list[tuple[Any, ...]]:
        with translating_errors(self._path):
            if state is State.FAILED:
                return self._connection.execute(self._sql["failures"], (after,)).fetchall()
            return self._connection.execute(self._sql["records"], (after, *_RANGES[state])).fetchall()

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        """One transaction: on disk after the block, or rolled back. A file that was unlinked would accept it and lose it."""
        with translating_errors(self._path):
            if not self._exists():
                message = f"the ledger {printable(self._path)} was removed while a run was using it"
                raise RunError(message, code="ledger-lost", hint="run the same command again: it creates a new ledger")
            with transaction(self._connection) as connection:
                yield connection


class _StoredFailure(Failure, frozen=True, kw_only=True, omit_defaults=True):
    """A failure as it is stored, with the last result of an earlier version."""

    former: bytes = b""


def _record(row: tuple[Any, ...]) -> Record | None:
    """Return the record in ``row``, ``None`` when it holds an outcome and its checksum is wrong."""
    key, identity, state, attempts, interruptions, outcome, seconds, finished_at, checksum, lone_deaths, tried_at, deaths = row
    is_intact = checksum == _checksum(key, identity, outcome)
    if state >= _DONE and not is_intact:
        return None
    stored = msgspec.msgpack.decode(outcome, type=_StoredFailure) if state == _FAILED else None
    return Record(
        key=key,
        id=identity,
        state=_STATES[state],
        attempts=attempts,
        interruptions=interruptions,
        result=outcome if state == _DONE else b"",
        failure=_failure(stored) if stored else None,
        former=stored.former if stored else outcome if state < _DONE and is_intact else b"",
        seconds=seconds,
        finished_at=finished_at,
        lone_deaths=lone_deaths,
        tried_at=tried_at,
        death_seconds=tuple(map(float, deaths.split())) if deaths else (),
    )


def _failure(stored: _StoredFailure) -> Failure:
    return Failure(**{name: getattr(stored, name) for name in Failure.__struct_fields__})


def _pack_failure(failure: Failure, former: bytes) -> bytes:
    """Return the stored outcome of a failed task."""
    fields = {name: getattr(failure, name) for name in Failure.__struct_fields__}
    return msgspec.msgpack.encode(_StoredFailure(**fields, former=former))


def _current(task: Task, previous: Record | None, is_same: IsSame | None) -> Record:
    """Return the record of ``task``, whose key may have a ``previous`` record with another id."""
    if previous and previous.id and is_same and is_same(task, previous):
        return msgspec.structs.replace(previous, id=task.id)
    return _fresh(task.key, task.id, previous)


def _fresh(key: bytes, identity: bytes, previous: Record | None) -> Record:
    """Return a pending record that keeps the last result of the ``previous`` one."""
    return Record(
        key=key,
        id=identity,
        state=State.PENDING,
        former=(previous.result or previous.former) if previous else b"",
        is_new=previous is None,
    )


def _row(record: Record) -> tuple[object, ...]:
    outcome = _pack_failure(record.failure, record.former) if record.failure else record.result or record.former
    state = _STATES.index(record.state)
    checksum = _checksum(record.key, record.id, outcome)
    counts = (record.attempts, record.interruptions)
    deaths = (record.lone_deaths, record.tried_at, " ".join(f"{seconds:.1f}" for seconds in record.death_seconds))
    return record.key, record.id, state, *counts, outcome, record.seconds, record.finished_at, checksum, *deaths


def _sealed(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes, int]]:
    return ((first, second, _seal(first, second)) for first, second in pairs)


def _seal(first: bytes, second: bytes) -> int:
    return crc32(second, crc32(first))


def _checksum(key: bytes, identity: bytes, outcome: bytes) -> int:
    return crc32(outcome, crc32(identity, crc32(key)))


def _outcome_row(outcome: Outcome, now: float, former_results: Mapping[bytes, bytes]) -> tuple[object, ...]:
    task = outcome.task
    state, content, seconds = _FAILED, b"", 0.0
    if isinstance(outcome, Done):
        state, content, seconds = _DONE, outcome.result, outcome.seconds
    elif isinstance(outcome, Skipped):
        state, content = _DONE, outcome.result
    elif isinstance(outcome, Failed):
        content, seconds = _pack_failure(outcome.failure, former_results.get(task.key, b"")), outcome.seconds
    return state, content, seconds, now, _checksum(task.key, task.id, content), task.key, task.id
