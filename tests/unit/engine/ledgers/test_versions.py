"""A ledger of an earlier version is upgraded when it is opened for writing, whatever interrupts that; readers change nothing."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.sqlite.schema import Schema, expected_structure, structure
from pixmill.engine.sqlite.statements import read_statements
from pixmill.engine.task import Attempt, Done, Failed, Failure, State, Task

SCHEMA = Schema("pixmill.engine.ledgers", version=2, application=int.from_bytes(b"pxml", "big"))
TASKS = [Task.of(f"{number}.jpg") for number in range(6)]
#: opens the ledger at argv[1], and kills itself before the statement number argv[2]
KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from pixmill.engine.ledgers.sqlite import SqliteLedger

left, connect = int(sys.argv[2]), sqlite3.connect

class Killed(sqlite3.Connection):
    def execute(self, *arguments):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*arguments)

sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Killed, **options)
SqliteLedger(Path(sys.argv[1])).close()
"""


@pytest.fixture
def first_version(tmp_path):
    """Return the path of a ledger of version 1: three tasks are done, one failed, one was in flight when its run died."""
    latest, path = tmp_path / "latest.sqlite", tmp_path / "ledger.sqlite"
    with closing(SqliteLedger(latest)) as ledger:
        ledger.begin_run(b"{}")
        ledger.get_or_add(TASKS)
        ledger.start_attempts([Attempt(task) for task in TASKS[:5]])
        ledger.record_outcomes([Done(task=task, result=b"result of " + task.key) for task in TASKS[:3]])
        ledger.record_outcomes([Failed(task=TASKS[3], failure=Failure(code="decode", stage="decode", message="It is damaged."))])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in read_statements("pixmill.engine.ledgers", "schema-1.sql").values():
            connection.execute(statement)
        connection.execute("ATTACH ? AS latest", (str(latest),))
        for table in ("task", "run"):
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} SELECT {columns} FROM latest.{table}")  # names of ours
        connection.execute(f"PRAGMA application_id = {SCHEMA.application}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    return path


def contents(path, *, read_only=False):
    with closing(SqliteLedger(path, read_only=read_only)) as ledger:
        return list(ledger.records()), list(ledger.runs())


def version(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_all_rows_come_through_and_a_copy_of_the_former_file_is_kept(first_version):
    before = contents(first_version, read_only=True)
    assert [record.state for record in before[0]].count(State.DONE) == 3
    assert contents(first_version) == before
    assert version(first_version) == 2
    copy = first_version.with_name("ledger.sqlite.version-1")
    assert version(copy) == 1
    assert contents(copy, read_only=True) == before


def test_a_reader_changes_nothing(first_version):
    content, names = first_version.read_bytes(), set(first_version.parent.iterdir())
    records, runs = contents(first_version, read_only=True)
    assert len(records) == 6
    assert len(runs) == 1
    assert first_version.read_bytes() == content
    assert {path for path in first_version.parent.iterdir() if not path.name.endswith(("-wal", "-shm"))} == names


def test_transactions_that_are_only_in_the_log_come_through(first_version):
    with closing(sqlite3.connect(first_version)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE task SET attempts = 7 WHERE key = ?", (TASKS[5].key,))
        writer.commit()
        killed = first_version.with_name("killed.sqlite")
        for suffix in ("", "-wal"):
            killed.with_name(killed.name + suffix).write_bytes(first_version.with_name(first_version.name + suffix).read_bytes())
    records, _ = contents(killed)
    assert records[5].attempts == 7


def test_a_kill_before_any_statement_loses_nothing(first_version):
    before = contents(first_version, read_only=True)
    kills = 0
    while True:
        words = [sys.executable, "-c", KILLED, first_version, str(kills)]
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        if not ended.returncode:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert version(first_version) == 1
        assert contents(first_version, read_only=True) == before
        kills += 1
    assert kills > len(read_statements("pixmill.engine.ledgers", "schema-2.sql"))
    assert version(first_version) == 2
    assert contents(first_version) == before


def test_a_ledger_without_room_for_the_copy_stays_as_it_is(first_version):
    first_version.with_name("ledger.sqlite.version-1").mkdir()
    with pytest.raises(RunError, match=r"ledger\.sqlite cannot be used"):
        SqliteLedger(first_version)
    assert version(first_version) == 1
    assert [path.name for path in first_version.parent.glob(".*")] == []


def test_new_and_upgraded_ledgers_have_the_same_structure(first_version, tmp_path):
    for path in (first_version, tmp_path / "new.sqlite"):
        SqliteLedger(path).close()
        with closing(sqlite3.connect(path)) as connection:
            assert structure(connection) == expected_structure(SCHEMA, 2)


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE task DROP COLUMN seconds", "DROP INDEX failed", "CREATE TABLE other (x)", "ALTER TABLE run RENAME TO runs"],
)
def test_a_file_of_another_structure_is_set_aside(first_version, change):
    with closing(sqlite3.connect(first_version)) as connection:
        connection.execute(change)
    with closing(SqliteLedger(first_version)) as ledger:
        assert ledger.quarantined is not None
        assert ledger.counts().found == 0


def test_statements_may_be_spelt_otherwise(first_version):
    with closing(sqlite3.connect(first_version)) as connection:
        connection.execute("ALTER TABLE task RENAME TO other")  # SQLite rewrites the text, with quotes
        connection.execute("ALTER TABLE other RENAME TO task")
    with closing(SqliteLedger(first_version)) as ledger:
        assert ledger.quarantined is None
