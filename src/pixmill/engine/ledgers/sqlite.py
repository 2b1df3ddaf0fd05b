"""The ledger in a SQLite file: durable, readable while a run writes to it, and fast enough not to be noticed."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from sqlite3 import Connection
from typing import Any
from zlib import crc32

import msgspec

from pixmill.core.errors import RunError
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger, Record, RunRecord
from pixmill.engine.sqlite.database import Schema, open_for_reading, open_for_writing, transaction, translating_errors
from pixmill.engine.sqlite.statements import read_statements
from pixmill.engine.task import UNCHANGED, Attempt, Counts, Done, Failed, Failure, Outcome, Skipped, State, Task

_PACKAGE = "pixmill.engine.ledgers"
_VERSION = 1
_APPLICATION = int.from_bytes(b"pxml", "big")
_PENDING, _IN_FLIGHT, _DONE, _FAILED = range(4)
_STATES = (State.PENDING, State.PENDING, State.DONE, State.FAILED)
_CHUNK = 5000
_BEYOND = b"\xff" * 32  # no text in UTF-8 comes after it
_RANGES = {None: (_PENDING, _FAILED), State.PENDING: (_PENDING, _IN_FLIGHT), State.DONE: (_DONE, _DONE)}


class SqliteLedger(Ledger):
    """One file. Every call that changes something is one commit, on disk when it returns.

    A file that is damaged (cut off, overwritten, not a database) is set aside under another name, ``quarantined``, and the
    ledger begins anew: everything is pending. Damage inside a row, which SQLite cannot see, makes that one task pending. A
    file that vanishes under a run, or is damaged under it, ends the run: code ``ledger-lost``, ``ledger-damaged``.
    """

    def __init__(self, path: Path, *, read_only: bool = False, clock: Callable[[], float] = time.time) -> None:
        """Open the ledger at ``path``, or make it there. ``clock`` gives seconds since the epoch.

        With ``read_only`` it must be there, and may be looked into while a run is writing to it.
        """
        self._path = path
        self._clock = clock
        self._sql = read_statements(_PACKAGE, "queries.sql")
        design = Schema(read_statements(_PACKAGE, "schema.sql"), _VERSION, _APPLICATION)
        self._connection, self.quarantined = open_for_reading(path, design) if read_only else open_for_writing(path, design)
        self._file = path.stat().st_ino
        self._run = 0

    def begin_run(self, metadata: bytes = b"") -> int:
        """Open a run and return its number."""
        with self._change() as connection:
            connection.execute(self._sql["interrupt"])
            self._run = connection.execute(self._sql["begin"], (self._clock(), metadata)).lastrowid or 0
        return self._run

    def get_or_add(self, tasks: Sequence[Task]) -> list[Record]:
        """Return what is known of each task, in order."""
        known = self.get([task.key for task in tasks])
        records = [
            record if record and record.id == task.id else _fresh(task.key, task.id, record)
            for task, record in zip(tasks, known, strict=True)
        ]
        new = [now for now, before in zip(records, known, strict=True) if now is not before]
        if new:
            with self._change() as connection:
                connection.executemany(self._sql["adopt"], map(_row, new))
        return records

    def renew(self, tasks: Sequence[Task]) -> None:
        """Make each task a fresh pending record."""
        known = self.get([task.key for task in tasks])
        rows = [_row(_fresh(task.key, task.id, record)) for task, record in zip(tasks, known, strict=True)]
        with self._change() as connection:
            connection.executemany(self._sql["adopt"], rows)

    def get_exact(self, tasks: Sequence[Task]) -> list[Record | None]:
        """Return what is known of each task under its very id, in order."""
        records = self.get([task.key for task in tasks])
        return [record if record and record.id == task.id else None for task, record in zip(tasks, records, strict=True)]

    def get(self, keys: Sequence[bytes]) -> list[Record | None]:
        """Return what is on record for each key, in order."""
        recall, execute = self._sql["recall"], self._connection.execute
        with translating_errors(self._path):
            rows = [execute(recall, (key,)).fetchone() for key in keys]
        return [_record(row) if row else None for row in rows]

    def beginning_with(self, prefix: bytes) -> list[Record]:
        """Return what is on record of the keys that begin with ``prefix``."""
        with translating_errors(self._path):
            rows = self._connection.execute(self._sql["beginning"], (prefix, prefix + _BEYOND)).fetchall()
        return [record for row in rows if row[0].startswith(prefix) and (record := _record(row))]

    def start_attempts(self, attempts: Sequence[Attempt]) -> None:
        """Record that these tries are about to begin."""
        with self._change() as connection:
            connection.executemany(self._sql["start"], [(attempt.task.key, attempt.task.id) for attempt in attempts])

    def release_attempts(self, tasks: Sequence[Task]) -> None:
        """Take back tries that were started and never ran."""
        with self._change() as connection:
            connection.executemany(self._sql["release"], [(task.key, task.id) for task in tasks])

    def record_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Record final outcomes."""
        now = self._clock()
        changing = [outcome for outcome in outcomes if _is_new_outcome(outcome)]
        formers = self._formers([outcome.task.key for outcome in changing if isinstance(outcome, Failed)])
        rows = [_outcome_row(outcome, now, formers) for outcome in changing]
        left_alone = [(each.task.key, each.task.id) for each in outcomes if isinstance(each, Skipped) and each.reason != UNCHANGED]
        with self._change() as connection:
            connection.executemany(self._sql["finish"], rows)
            connection.executemany(self._sql["release"], left_alone)

    def end_run(self, counts: Counts, reason: str) -> None:
        """Close the run that ``begin`` opened."""
        numbers = (counts.done, counts.skipped, counts.failed, counts.pending)
        with self._change() as connection:
            connection.execute(self._sql["end"], (self._clock(), reason, *numbers, self._run))

    def counts(self) -> Counts:
        """Return the number of records by state: one pass over the file, a fifth of a second for a million tasks."""
        with translating_errors(self._path):
            found = dict(self._connection.execute(self._sql["counts"]).fetchall())
        pending = found.get(_PENDING, 0) + found.get(_IN_FLIGHT, 0)
        return Counts(done=found.get(_DONE, 0), failed=found.get(_FAILED, 0), pending=pending)

    def records(self, state: State | None = None) -> Iterator[Record]:
        """Yield the records in the order of their keys, a page at a time, so that no read holds up the writer."""
        after = b""
        while rows := self._page(after, state):
            before, after = after, max(row[0] for row in rows)
            if after <= before:
                return  # damage has put keys out of order, and the same page would come for ever
            for row in rows:
                record = _record(row) or Record(key=row[0], id=row[1], state=State.PENDING)
                if state in (None, record.state):
                    yield record

    def runs(self) -> Iterator[RunRecord]:
        """Yield the runs, oldest first."""
        with translating_errors(self._path):
            rows = self._connection.execute(self._sql["runs"]).fetchall()
        for number, started_at, ended_at, reason, done, skipped, failed, pending, about in rows:
            counts = Counts(done=done, skipped=skipped, failed=failed, pending=pending)
            yield RunRecord(number=number, started_at=started_at, ended_at=ended_at, reason=reason, counts=counts, metadata=about)

    def import_records(self, records: Iterable[Record]) -> int:
        """Take over what another ledger knows, a few thousand records a commit; return how many there were."""
        adopted, rows = 0, map(_row, records)
        while chunk := list(islice(rows, _CHUNK)):
            with self._change() as connection:
                connection.executemany(self._sql["adopt"], chunk)
            adopted += len(chunk)
        return adopted

    def reset(self, keys: Iterable[bytes]) -> int:
        """Make these keys new again; return how many there were."""
        known = [record for key in keys for record in self.get([key]) if record]
        with self._change() as connection:
            connection.executemany(self._sql["adopt"], (_row(_fresh(record.key, b"", record)) for record in known))
        return len(known)

    def delete(self, keys: Iterable[bytes]) -> list[Record]:
        """Remove these keys and return what was known of them."""
        known = []
        with self._change() as connection:
            for key in keys:
                row = connection.execute(self._sql["recall"], (key,)).fetchone()
                if row is not None:
                    known.append(_record(row) or Record(key=row[0], id=row[1], state=State.PENDING))
                    connection.execute(self._sql["discard"], (key,))
        return known

    @property
    def is_exclusive(self) -> bool:
        """Tell whether nobody else can use the file while it is open, as where what a dead run left beside it cannot be shared."""
        mode: tuple[str] = self._connection.execute("PRAGMA locking_mode").fetchone()
        return mode == ("exclusive",)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()

    def _formers(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what each of ``keys`` was done with last, of those that were."""
        return {record.key: former for record in self.get(keys) if record and (former := record.result or record.former)}

    def _is_there(self) -> bool:
        try:
            return self._path.stat().st_ino == self._file
        except FileNotFoundError:
            return False

    def _page(self, after: bytes, state: State | None) -> list[tuple[Any, ...]]:
        with translating_errors(self._path):
            if state is State.FAILED:
                return self._connection.execute(self._sql["failures"], (after,)).fetchall()
            return self._connection.execute(self._sql["records"], (after, *_RANGES[state])).fetchall()

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        """One transaction: on disk after the block, or undone. An unlinked file would take it all and keep nothing."""
        with translating_errors(self._path):
            if not self._is_there():
                message = f"the ledger {printable(self._path)} was removed while a run was using it"
                raise RunError(message, code="ledger-lost", hint="run the same command again: it begins a new ledger")
            with transaction(self._connection) as connection:
                yield connection


class _StoredFailure(Failure, frozen=True, kw_only=True, omit_defaults=True):
    """A failure as it is kept, with the result of the version that was done before."""

    former: bytes = b""


def _record(row: tuple[Any, ...]) -> Record | None:
    """Return the record in ``row``, ``None`` when it holds an outcome and its seal is broken."""
    key, identity, state, attempts, interruptions, outcome, seconds, finished_at, seal = row
    is_intact = seal == _checksum(key, identity, outcome)
    if state >= _DONE and not is_intact:
        return None
    kept = msgspec.msgpack.decode(outcome, type=_StoredFailure) if state == _FAILED else None
    return Record(
        key=key,
        id=identity,
        state=_STATES[state],
        attempts=attempts,
        interruptions=interruptions,
        result=outcome if state == _DONE else b"",
        failure=_failure(kept) if kept else None,
        former=kept.former if kept else outcome if state < _DONE and is_intact else b"",
        seconds=seconds,
        finished_at=finished_at,
    )


def _failure(kept: _StoredFailure) -> Failure:
    return Failure(**{name: getattr(kept, name) for name in Failure.__struct_fields__})


def _pack_failure(failure: Failure, former: bytes) -> bytes:
    """Return what is kept of a failed task."""
    return msgspec.msgpack.encode(
        _StoredFailure(**{name: getattr(failure, name) for name in Failure.__struct_fields__}, former=former)
    )


def _fresh(key: bytes, identity: bytes, known: Record | None) -> Record:
    """Return a pending record that keeps of the ``known`` one what it was done with."""
    return Record(
        key=key, id=identity, state=State.PENDING, former=(known.result or known.former) if known else b"", is_new=known is None
    )


def _row(record: Record) -> tuple[object, ...]:
    kept = _pack_failure(record.failure, record.former) if record.failure else record.result or record.former
    state = _STATES.index(record.state)
    seal = _checksum(record.key, record.id, kept)
    return record.key, record.id, state, record.attempts, record.interruptions, kept, record.seconds, record.finished_at, seal


def _checksum(key: bytes, identity: bytes, outcome: bytes) -> int:
    return crc32(outcome, crc32(identity, crc32(key)))


def _is_new_outcome(outcome: Outcome) -> bool:
    return isinstance(outcome, Done) or (isinstance(outcome, Failed) and not outcome.remembered)


def _outcome_row(outcome: Outcome, now: float, formers: Mapping[bytes, bytes]) -> tuple[object, ...]:
    task = outcome.task
    state, kept, seconds = _FAILED, b"", 0.0
    if isinstance(outcome, Done):
        state, kept, seconds = _DONE, outcome.result, outcome.seconds
    elif isinstance(outcome, Failed):
        kept, seconds = _pack_failure(outcome.failure, formers.get(task.key, b"")), outcome.seconds
    return state, kept, seconds, now, _checksum(task.key, task.id, kept), task.key, task.id
