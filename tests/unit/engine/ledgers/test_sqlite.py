"""The ledger in a file: damage, other files in its place, and errors of the disk (faults S1, S4, S16)."""

import itertools
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Attempt, Counts, Done, State, Task
from pixmill.testing.ledger_tasks import fail, finish, fresh, number, tasks

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def written(path):
    """A ledger of 60 done tasks, 20 failed and 20 pending, closed; its results tell the truth about their keys."""
    with closing(SqliteLedger(path)) as ledger:
        ledger.begin_run()
        ledger.get_or_add(tasks(100))
        finish(ledger, tasks(60))
        fail(ledger, tasks(80)[60:])
        ledger.end_run(Counts(done=60, failed=20, pending=20), "finished")
    return path


def believed(ledger):
    """Return how many tasks the ledger believes to be done; each of them must be true."""
    done = {record.key: record.result for record in ledger.records(State.DONE)}
    assert done.items() <= {task.key: b"result of " + task.key for task in tasks(60)}.items()
    return len(done)


def test_a_ledger_that_is_cut_off_anywhere_is_never_believed(written, tmp_path):
    content = written.read_bytes()
    for length in range(0, len(content), 509):
        torn = tmp_path / f"torn-{length}.db"
        torn.write_bytes(content[:length])
        with closing(SqliteLedger(torn)) as ledger:
            assert believed(ledger) == 0
            assert bool(ledger.quarantined) == bool(length)
            assert ledger.get_or_add(tasks(1)) == [fresh(tasks(1)[0], is_new=True)]


@pytest.mark.parametrize("garbage", [b"\0", b"\xff", b"garbage!"], ids=["zeros", "ones", "text"])
def test_garbage_anywhere_is_never_taken_for_done(written, tmp_path, garbage):
    content = written.read_bytes()
    marks = range(60 - 32, 72)
    for offset in range(0, len(content), 61):
        torn = tmp_path / "torn.db"
        torn.write_bytes(content[:offset] + garbage * (32 // len(garbage)) + content[offset + 32 :])
        try:
            with closing(SqliteLedger(torn)) as ledger:
                assert believed(ledger) in (0, *range(57, 61))
                assert ledger.counts().found == len(list(ledger.records()))
        except RunError:
            assert offset in marks, "only when the marks of its program and version are hit it is refused"
        for left in tmp_path.glob("torn.db*"):
            left.unlink()


def test_a_row_that_was_tampered_with_is_pending(written):
    with closing(sqlite3.connect(written)) as connection:
        connection.execute("UPDATE task SET state = 2, outcome = x'66' WHERE key = ?", (tasks(100)[99].key,))
        connection.execute("UPDATE task SET outcome = x'00' WHERE key IN (?, ?)", (tasks(1)[0].key, tasks(80)[79].key))
        connection.commit()
    with closing(SqliteLedger(written)) as ledger:
        assert len(list(ledger.records(State.DONE))) == 59
        assert len(list(ledger.records(State.FAILED))) == 19
        broken = [tasks(1)[0], tasks(80)[79], tasks(100)[99]]
        assert ledger.get_or_add(broken) == [fresh(task, is_new=True) for task in broken]
        assert ledger.counts() == Counts(done=59, failed=19, pending=22)


def test_a_damaged_ledger_is_set_aside_complete_and_a_new_one_created(path, caplog):
    path.write_bytes(b"this is no database" * 1000)
    with closing(SqliteLedger(path)) as ledger:
        assert ledger.quarantined.read_bytes() == b"this is no database" * 1000
        assert ledger.counts() == Counts()
    assert "set aside" in caplog.text
    path.write_bytes(b"nor is this" * 1000)
    with closing(SqliteLedger(path)) as ledger:
        assert ledger.quarantined.name == "ledger.db.damaged-2"


def test_a_log_that_is_cut_off_loses_only_its_end(path, tmp_path):
    """Copy file and log while the ledger is open, as a power cut would leave them, and cut the log at every commit's edge."""
    with closing(SqliteLedger(path)) as ledger:
        ledger.begin_run()
        for task in tasks(20):
            finish(ledger, [task])
        database, log = path.read_bytes(), path.with_name("ledger.db-wal").read_bytes()
    found = set()
    for length in range(0, len(log), 1013):
        (tmp_path / "cut.db").write_bytes(database)
        (tmp_path / "cut.db-wal").write_bytes(log[:length])
        with closing(SqliteLedger(tmp_path / "cut.db")) as ledger:
            done = [record.key for record in ledger.records(State.DONE)]
        assert done == sorted(task.key for task in tasks(len(done)))
        found.add(len(done))
        for left in tmp_path.glob("cut.db*"):
            left.unlink()
    assert len(found) > 10


def test_another_programs_database_is_refused_and_left_alone(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE holiday (photo)")
    before = path.read_bytes()
    with pytest.raises(RunError, match="another program") as raised:
        SqliteLedger(path)
    assert raised.value.code == "ledger-foreign"
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_refused_and_left_alone(written):
    with closing(sqlite3.connect(written)) as connection:
        connection.execute("PRAGMA user_version = 3")
    before = written.read_bytes()
    for read_only in (False, True):
        with pytest.raises(RunError, match="newer pixmill") as raised:
            SqliteLedger(written, read_only=read_only)
        assert raised.value.code == "ledger-version"
    assert written.read_bytes() == before


def test_a_ledger_can_be_read_while_a_run_writes_to_it(path):
    with closing(SqliteLedger(path)) as writer:
        writer.begin_run()
        finish(writer, tasks(5))
        with closing(SqliteLedger(path, read_only=True)) as reader:
            assert reader.counts() == Counts(done=5)
            records = reader.records()
            next(records)
            finish(writer, tasks(9))
            assert [record.key for record in records] == [task.key for task in tasks(9)[1:]]
            assert reader.counts() == Counts(done=9)
            assert [run.ended_at for run in reader.runs()] == [0]
            with pytest.raises(RunError) as raised:
                reader.begin_run()
            assert raised.value.code == "read-only"


def test_reading_a_ledger_that_is_not_there_makes_none(path):
    with pytest.raises(RunError) as raised:
        SqliteLedger(path, read_only=True)
    assert raised.value.code == "ledger-missing"
    assert not path.exists()


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_reading_a_ledger_that_a_run_is_only_just_making_finds_none(path, mode):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
    made = path.read_bytes()
    with pytest.raises(RunError) as raised:
        SqliteLedger(path, read_only=True)
    assert raised.value.code == "ledger-missing"
    assert path.read_bytes() == made


def test_reading_a_damaged_ledger_changes_nothing(path):
    path.write_bytes(b"garbage" * 5000)
    with pytest.raises(RunError) as raised:
        SqliteLedger(path, read_only=True)
    assert raised.value.code == "ledger-damaged"
    assert path.read_bytes() == b"garbage" * 5000


@pytest.mark.parametrize("replace", [False, True])
def test_a_ledger_that_is_removed_under_a_run_ends_the_run(path, replace):
    with closing(SqliteLedger(path)) as ledger:
        ledger.begin_run()
        ledger.get_or_add(tasks(1))
        shutil.copy(path, path.with_name("copy"))
        path.unlink()
        if replace:
            path.with_name("copy").rename(path)
        with pytest.raises(RunError) as raised:
            ledger.record_outcomes([Done(task=tasks(1)[0])])
        assert raised.value.code == "ledger-lost"


def test_a_call_that_fails_in_the_middle_records_nothing(path):
    with closing(SqliteLedger(path)) as ledger:
        ledger.begin_run()
        fail(ledger, tasks(2))

        def keys():
            yield tasks(1)[0].key
            raise KeyError

        with pytest.raises(KeyError):
            ledger.reset(keys())
        assert ledger.counts() == Counts(failed=2)


def admit_for_ever(ledger):
    for first in itertools.count(step=100):
        ledger.get_or_add([Task(number(first + index), b"key-%d" % (first + index)) for index in range(100)])


@needs_root
def test_a_full_disk_ends_the_run_and_a_larger_one_goes_on(tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", tmp_path], check=True)
    try:
        with closing(SqliteLedger(tmp_path / "ledger.db")) as ledger:
            ledger.begin_run()
            with pytest.raises(RunError) as raised:
                admit_for_ever(ledger)
            assert raised.value.code == "disk-full"
            assert raised.value.hint
        subprocess.run(["mount", "-o", "remount,size=100m", tmp_path], check=True)
        with closing(SqliteLedger(tmp_path / "ledger.db")) as ledger:
            assert ledger.quarantined is None
            known = ledger.counts().pending
            assert known
            assert known % 100 == 0
            ledger.start_attempts([Attempt(tasks(1)[0])])
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@needs_root
def test_a_finished_ledger_can_be_read_from_a_read_only_mount(written):
    mount = written.parent / "mount"
    mount.mkdir()
    subprocess.run(["mount", "--bind", written.parent, mount], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", mount], check=True)
        with closing(SqliteLedger(mount / "ledger.db", read_only=True)) as ledger:
            assert ledger.counts().done == 60
        with pytest.raises(RunError) as raised:
            SqliteLedger(mount / "ledger.db")
        assert raised.value.code == "not-writable"
    finally:
        subprocess.run(["umount", mount], check=True)


@pytest.mark.parametrize(
    "change", ["UPDATE name SET owner = 'other'", "UPDATE name SET name = 'other'", "UPDATE source SET prefix = 'x'"]
)
def test_a_damaged_name_or_source_counts_for_nothing(path, change):
    with closing(SqliteLedger(path)) as ledger:
        ledger.claim([(b"name", b"owner")])
        ledger.add_sources({b"root": b""})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change.replace("'", "x'", 1).replace("other", b"other".hex()).replace("x'x'", "x'78'"))
        connection.commit()
    with closing(SqliteLedger(path)) as ledger:
        damaged = "source" in change
        assert (list(ledger.owners(b"", b"z")), ledger.sources()) == (
            ([(b"name", b"owner")], {}) if damaged else ([], {b"root": b""})
        )
