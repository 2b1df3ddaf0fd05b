"""Room for the index of the ledger; the disk that lacks it is in tests/faults/test_full_disk.py."""

import os
import sqlite3
from contextlib import closing

from pixmill.engine.shared_index import has_room, reserve


def test_a_disk_of_ordinary_blocks_is_left_as_it_is(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE task (key BLOB)")
        before = sorted((entry.name, entry.stat().st_size) for entry in os.scandir(tmp_path))
        assert has_room(path)
        reserve(path)
        assert sorted((entry.name, entry.stat().st_size) for entry in os.scandir(tmp_path)) == before
