"""A ledger that is cut off, overwritten, of another version or gone is rebuilt or refused, never believed (S16)."""

import random
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from support.fault_run import COMMAND, DONE, STOPPED
from support.invariants import STATE, check, finished, outputs
from support.processes import wait_until

LEDGER = "ledger.sqlite"


@pytest.fixture
def written(trial, gallery):
    """Return a finished trial with its ledger in one file, without a log beside it."""
    attempt = trial(gallery(12))
    attempt.complete()
    with closing(sqlite3.connect(attempt.destination / STATE / LEDGER)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    return attempt


def goes_on(attempt, *, code=DONE):
    """Run on what is there now; outputs may be made again, and what comes out is what a clean run makes."""
    attempt.changed()
    attempt.faults += 1
    ended = attempt.run()
    assert ended.code == code, ended.err
    return ended


def ledger_of(attempt):
    return attempt.destination / STATE / LEDGER


@pytest.mark.row("S16")
@pytest.mark.parametrize("keep", [0, 1, 99, 100, 4096, 5000, -1, -100, -4096])
def test_a_ledger_that_is_cut_off_is_set_aside_and_made_anew(written, keep):
    data = ledger_of(written).read_bytes()
    ledger_of(written).write_bytes(data[:keep])
    goes_on(written)
    written.complete()


@pytest.mark.row("S16")
@pytest.mark.parametrize("garbage", [b"", b"\0" * 50_000, b"nonsense" * 5_000, b"SQLite format 3\0" + b"\xff" * 30_000])
def test_garbage_in_place_of_a_ledger_is_never_taken_for_one(written, garbage):
    ledger_of(written).write_bytes(garbage)
    goes_on(written)
    written.complete()


@pytest.mark.row("S16")
def test_bytes_that_were_turned_anywhere_make_nothing_done_that_is_not(written):
    data = ledger_of(written).read_bytes()
    chance = random.Random(16)
    (written.destination / min(written.expected)).unlink()
    for _ in range(6):
        turned = bytearray(data)
        for _ in range(20):
            turned[chance.randrange(len(turned))] ^= 1 << chance.randrange(8)
        ledger_of(written).write_bytes(turned)
        for suffix in ("-wal", "-shm"):
            ledger_of(written).with_name(LEDGER + suffix).unlink(missing_ok=True)
        written.changed()
        written.faults += 1
        ended = written.run()
        assert ended.code in (DONE, STOPPED), ended.err
        if ended.code == STOPPED:  # its mark says that it is another program's, or newer: refused and left alone
            assert ledger_of(written).read_bytes() == turned
    ledger_of(written).unlink()
    goes_on(written)
    written.complete()


@pytest.mark.row("S16")
def test_a_log_that_is_cut_off_anywhere_in_its_last_record_loses_no_more_than_that_record(trial, gallery, tmp_path):
    attempt = trial(gallery(30, side=600))
    process = attempt.start()
    wait_until(lambda: len(finished(attempt.destination)) >= 10 or process.poll() is not None)
    attempt.kill(process)
    log = ledger_of(attempt).with_name(LEDGER + "-wal")
    shutil.copytree(attempt.destination, tmp_path / "as-it-was")
    data = log.read_bytes() if log.exists() else b""
    for cut in range(0, min(len(data), 4120), 137):
        shutil.rmtree(attempt.destination)
        shutil.copytree(tmp_path / "as-it-was", attempt.destination)
        log.write_bytes(data[: len(data) - cut])
        log.with_name(LEDGER + "-shm").unlink(missing_ok=True)
        attempt.faults += 1
        check(attempt.destination, attempt.expected)
    attempt.changed()
    attempt.complete()


@pytest.mark.row("S16")
@pytest.mark.parametrize("pragma", ["user_version = 99", "application_id = 7"])
def test_a_ledger_of_a_newer_version_or_another_program_is_refused_and_left_alone(written, pragma):
    with closing(sqlite3.connect(ledger_of(written))) as connection:
        connection.execute(f"PRAGMA {pragma}")
    data = ledger_of(written).read_bytes()
    result = subprocess.run(
        [*COMMAND, "run", written.source, written.destination], capture_output=True, text=True, check=False, timeout=240
    )
    written.faults += 1
    assert result.returncode == STOPPED
    assert "newer pixmill" in result.stderr or "another program" in result.stderr
    assert ledger_of(written).read_bytes() == data
    assert outputs(written.destination) == written.expected
    ledger_of(written).unlink()
    goes_on(written)
    written.complete()


@pytest.mark.row("S16")
def test_a_ledger_that_was_deleted_is_made_anew(written):
    shutil.rmtree(written.destination / STATE)
    goes_on(written)
    written.complete()
