"""Where the ledgers of an output are: of a whole run, or one of each shard."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.engine.ledgers.sqlite import SqliteLedger

LEDGER = "ledger.sqlite"
LOCK = "lock"
COPIED_FROM = "brought"  # the file that says whose ledger was brought here from another machine, and when that gave a sign of life
ALIVE_WITHIN = 90.0  # seconds


class LedgerFile(msgspec.Struct, frozen=True):
    """Where a ledger is: the ``shard`` whose it is, and the ``folder`` of its state."""

    shard: Shard
    folder: Path

    def open(self) -> SqliteLedger:
        """Open it to read; a run may be going on meanwhile."""
        state_folder.check(self.folder)
        return SqliteLedger(self.folder / LEDGER, read_only=True)

    def is_running(self, *, now: Callable[[], float] = time.time) -> bool:
        """Tell whether a run that has not ended is going on, here or on the machine that this is a copy from.

        There, its owner's last sign of life decides, which was noted with the copy.
        """
        return self.is_locked() or now() - self._last_heartbeat() < ALIVE_WITHIN

    def is_locked(self) -> bool:
        """Tell whether a run has it on this machine: its lock goes when its owner dies, by whatever death."""
        try:
            lock = state_folder.open_file(self.folder, LOCK, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _last_heartbeat(self) -> float:
        try:
            words = state_folder.read(self.folder, COPIED_FROM).split()
            return float(words[1])
        except (OSError, ValueError, IndexError):
            return 0.0


def find_ledger_files(state: Path) -> list[LedgerFile]:
    """Return every ledger in the folder ``state`` and in those of shards below it, in order of their numbers.

    ``state`` may also be the folder of one shard, whose ledger is then all there is. ``RunError`` when a folder with a ledger
    holds links, or files of strangers.
    """
    below = {path: Shard.of_folder(path.name) for path in state.glob("shard-*-of-*")}
    places = {state: Shard(), **{path: shard for path, shard in below.items() if shard}}
    for folder in places:
        state_folder.check(folder)
    found = [LedgerFile(shard, folder) for folder, shard in places.items() if (folder / LEDGER).exists()]
    return sorted(found, key=lambda each: (each.shard.count, each.shard.index))


def open_to_write(folder: Path) -> SqliteLedger:
    """Open the ledger in the state folder ``folder``, or make it there. The lock is the caller's."""
    state_folder.check(folder)
    state_folder.refuse_second_names(folder, LEDGER)
    return SqliteLedger(folder / LEDGER)
