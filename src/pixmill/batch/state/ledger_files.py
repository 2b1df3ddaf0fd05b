"""Find the ledgers of an output: one for an unsplit run, or one per shard."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.output_claims import OutputClaims
from pixmill.batch.state.owner_files import NO_LOCKS, living
from pixmill.core import operating_system
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.storage.local.case import ignores_case

LEDGER = "ledger.sqlite"
LOCK = "lock"
COPIED_FROM = "brought"  # the file with the owner of a ledger copied from another machine, and the owner's last heartbeat
ALIVE_WITHIN = 90.0  # seconds


class LedgerFile(msgspec.Struct, frozen=True):
    """The location of a ledger: its ``shard``, and the ``folder`` of its state."""

    shard: Shard
    folder: Path

    @property
    def base(self) -> Path:
        """The state folder of the output, which holds those of its shards."""
        return self.folder.parent if self.shard.folder else self.folder

    def open(self, *, is_checked: bool = True) -> SqliteLedger:
        """Open it for reading, which is safe during a run; without ``is_checked`` its content is not checked first."""
        state_folder.check(self.folder)
        return SqliteLedger(self.folder / LEDGER, read_only=True, is_checked=is_checked)

    def is_running(self, *, now: Callable[[], float] = time.time) -> bool:
        """Tell whether a run is in progress, on this machine or on the one that the ledger was copied from.

        For a copy, the owner's last heartbeat decides, which is stored with the copy.
        """
        return self.is_locked() or now() - self.last_heartbeat() < ALIVE_WITHIN

    def written_at(self) -> float:
        """Return when the ledger was last written to, in seconds since the epoch; 0 if it does not exist."""
        times = [0.0]
        for name in (LEDGER, f"{LEDGER}-wal"):
            with suppress(OSError):
                times.append((self.folder / name).stat().st_mtime)
        return max(times)

    def is_locked(self) -> bool:
        """Tell whether a run on this machine holds it: the kernel releases the lock when its owner dies, however it dies."""
        try:
            lock = state_folder.open_file(self.folder, LOCK, os.O_RDONLY)
        except OSError:
            return False
        try:
            operating_system.lock(lock, shared=True)
        except BlockingIOError:
            return True
        except OSError as error:
            return error.errno in NO_LOCKS and any(living(self.folder))
        finally:
            os.close(lock)
        return False

    def last_heartbeat(self) -> float:
        """Return the time of the last heartbeat, in seconds since the epoch, that came with the copy; 0 if there is no copy."""
        try:
            fields = state_folder.read(self.folder, COPIED_FROM).split()
            return float(fields[1])
        except (OSError, ValueError, IndexError):
            return 0.0


def find_ledger_files(state: Path) -> list[LedgerFile]:
    """Return the ledgers in the folder ``state`` and in the folders of shards below it, in order of their shards.

    ``state`` may also be the folder of one shard, which has only its own ledger. ``RunError`` when a folder with a ledger contains
    links, or files of an untrusted user.
    """
    subfolders = {path: Shard.of_folder(path.name) for path in state.glob("shard-*-of-*")}
    shards = {state: Shard(), **{path: shard for path, shard in subfolders.items() if shard}}
    for folder in shards:
        state_folder.check(folder)
    files = [LedgerFile(shard, folder) for folder, shard in shards.items() if (folder / LEDGER).exists()]
    return sorted(files, key=lambda each: (each.shard.count, each.shard.index))


def open_to_write(folder: Path, *, is_durable: bool = True, is_private: bool = False) -> SqliteLedger:
    """Open the ledger in the state folder ``folder`` for writing, or create it. The caller holds the lock.

    Without ``is_durable`` a power failure may undo the last commits. If it ``is_private``, only its owner may read it from now on.
    """
    state_folder.check(folder)
    state_folder.refuse_hard_links(folder, LEDGER)
    if is_private:
        descriptor = state_folder.open_file(folder, LEDGER, os.O_RDWR | os.O_CREAT, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    return SqliteLedger(folder / LEDGER, claims=OutputClaims(folds=ignores_case(folder)), is_durable=is_durable)
