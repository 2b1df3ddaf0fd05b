"""Copies of a ledger in the store of its output, so that another machine can go on where this one stopped.

A copy is older than the outputs as a rule. What it does not know of is made again; what it holds as done counts only as far as
the outputs are still there.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.core.errors import ReadError
from pixmill.storage.object_store.storage import ObjectStorage
from pixmill.storage.retry.policy import RetryPolicy

REQUEST_TIMEOUT = 120.0  # seconds: without the ledger everything would be made again
PAGES = 2000  # of the ledger, copied between two moments in which the run may write to it


def upload_ledger(state: Path, storage: ObjectStorage, name: bytes) -> None:
    """Put the ledger in the folder ``state``, as it is now, under ``name``; a run may be writing to it."""
    copy = state / "snapshot.sqlite"
    copy.unlink(missing_ok=True)
    try:
        with closing(_reading(state / LEDGER)) as ledger, closing(sqlite3.connect(copy)) as target:
            ledger.backup(target, pages=PAGES, sleep=0.01)
        RetryPolicy(deadline=REQUEST_TIMEOUT).call(lambda: storage.upload(name, copy))
    finally:
        copy.unlink(missing_ok=True)


def _reading(path: Path) -> sqlite3.Connection:
    """Open the ledger without making one where there is none."""
    return sqlite3.connect(f"file:{quote(bytes(path.absolute()))}?mode=ro", uri=True)


def download_ledger(state: Path, storage: ObjectStorage, name: bytes) -> bool:
    """Replace the ledger in the folder ``state`` by the copy under ``name``; return whether there is one. The lock must be held."""
    state_folder.make(state)
    arriving = state / "arriving.sqlite"
    arriving.unlink(missing_ok=True)
    try:
        RetryPolicy(deadline=REQUEST_TIMEOUT).call(lambda: storage.download(name, arriving))
        for suffix in ("-wal", "-shm"):  # they belong to the file that goes
            with suppress(FileNotFoundError):
                (state / f"{LEDGER}{suffix}").unlink()
        arriving.replace(state / LEDGER)
    except ReadError as error:
        if error.code == "read-vanished":
            return False
        raise
    finally:
        arriving.unlink(missing_ok=True)
    return True
