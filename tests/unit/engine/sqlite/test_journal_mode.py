"""The ledger's journal mode by file system; full disks are tested in tests/faults."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.sqlite.journal_mode import ROLLBACK, WAL, journal_mode
from pixmill.engine.task import Attempt, Done, Task


@pytest.fixture(params=[("mkfs.ext4", "-q", "-b", "1024"), ("mkfs.btrfs", "-q"), ("mkfs.ext4", "-q", "-b", "4096")], ids=" ".join)
def disk(request, tmp_path):
    """Return the mount point of a small disk, and the journal mode that it needs."""
    if os.geteuid() != 0 or shutil.which(request.param[0]) is None:
        pytest.skip(f"needs root, and {request.param[0]}")
    image, mount = tmp_path / "disk.img", tmp_path / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(120_000_000)
    subprocess.run([*request.param, image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop", image, mount], check=False, capture_output=True).returncode:
        pytest.skip("this kernel does not mount it")
    yield mount, WAL if request.param[-1] == "4096" else ROLLBACK
    subprocess.run(["umount", "--lazy", mount], check=True)


def test_memory_is_shared_only_where_a_full_disk_cannot_take_it_back(disk):
    mount, wanted = disk
    assert journal_mode(mount) == wanted
    path = mount / "ledger.sqlite"
    task = Task.of("photo.jpg")
    with closing(SqliteLedger(path)) as ledger:
        ledger.begin_run()
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        assert path.with_name("ledger.sqlite-shm").exists() == (wanted == WAL)
        with closing(SqliteLedger(path, read_only=True)) as reader:
            assert reader.counts().pending == 1
        ledger.record_outcomes([Done(task=task)])
        with closing(SqliteLedger(path, read_only=True)) as reader:
            assert reader.counts().done == 1


def test_a_ledger_that_comes_from_another_disk_is_changed_over(disk, tmp_path):
    mount, wanted = disk
    with closing(SqliteLedger(tmp_path / "ledger.sqlite")) as ledger:
        ledger.get_or_add([Task.of("photo.jpg")])
    shutil.copy(tmp_path / "ledger.sqlite", mount)
    with closing(SqliteLedger(mount / "ledger.sqlite")) as ledger:
        assert ledger.counts().pending == 1
    with closing(sqlite3.connect(mount / "ledger.sqlite")) as connection:
        expected = "wal" if wanted == WAL else "delete"  # the kind of journal is each connection's own
        assert connection.execute("PRAGMA journal_mode").fetchone() == (expected,)
