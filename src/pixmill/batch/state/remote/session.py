"""Keeps the state of an output that is in a store: takes and renews its lock, brings its ledger here, puts copies of it there."""

import os
import socket
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import COPIED_FROM, LEDGER, LOCK
from pixmill.batch.state.location import FOLDER
from pixmill.batch.state.lock import Lock
from pixmill.batch.state.remote import ledger_copy
from pixmill.batch.state.remote.lease import RENEW_INTERVAL, TTL, Lease, LeaseRecord, is_alive, read_lease
from pixmill.core.errors import ImageError, PixmillError, RunError
from pixmill.core.events import Event, Observer
from pixmill.storage.address import Address
from pixmill.storage.object_store.storage import ObjectStorage
from pixmill.storage.open import open_storage

LEASE = b"lease"
IDENTITY = "identity"  # the file that makes a state folder one of a kind
FIRST_UPLOAD = 60.0  # seconds until the first copy of the ledger
UPLOAD_SHARE = 20  # a copy that took a second is followed by this many without one


class RemoteStateSession(Observer):
    """Holds an output in a store for one run. As an observer it ends the run when the lock was lost: ``RunError`` ``locked``.

    The local lock of ``state`` must be held.
    """

    def __init__(self, storage: ObjectStorage, state: Path, shard: Shard) -> None:
        """Ask for nothing yet."""
        self._storage = storage
        self._state = state
        self._shard = shard
        self._folder = _folder(shard)
        self._lease = Lease(storage, self._folder + LEASE, _claim(state))
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._renew_lease, name="keeper", daemon=True)
        self._lost: RunError | None = None

    def begin(self) -> None:
        """Take the lock, and bring the latest ledger here if another machine has it. ``RunError`` when it cannot be."""
        try:
            before = self._lease.acquire()
            self._refuse_others()
            if not _is_latest(self._state, before):
                _fetch(self._storage, self._folder, self._state, before)
        except ImageError as error:  # of an object that is no image
            raise RunError(error.message, code="not-writable", hint=error.hint) from None
        self._thread.start()

    def on_event(self, event: Event) -> None:  # noqa: ARG002  # any event is an occasion to look
        """End the run if it is not ours any more."""
        self.check()

    def check(self) -> None:
        """Raise ``RunError`` ``locked`` if the lock was lost."""
        if self._lost is not None:
            raise self._lost

    def close(self) -> None:
        """Do nothing: the lock outlives the run until its ledger is closed."""

    def end(self) -> None:
        """Put the ledger as it is now, if the run began, and let go of the lock."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()
            # what cannot be put is not: the next run here has the ledger, and one elsewhere begins with an older copy
            with suppress(PixmillError, OSError, sqlite3.Error):
                if self._lost is None:
                    ledger_copy.upload_ledger(self._state, self._storage, self._folder + LEDGER.encode())
        with suppress(PixmillError):  # it runs out
            self._lease.release()

    def _renew_lease(self) -> None:
        """Renew the lock, and put a copy of the ledger from time to time, until the end or the loss of the lock."""
        renewed = time.monotonic()
        next_copy = renewed + FIRST_UPLOAD
        while not self._ends.wait(RENEW_INTERVAL):
            try:
                self._lease.renew()
                renewed = time.monotonic()
                if renewed >= next_copy:
                    ledger_copy.upload_ledger(self._state, self._storage, self._folder + LEDGER.encode())
                    next_copy = max(time.monotonic() + FIRST_UPLOAD, renewed + UPLOAD_SHARE * (time.monotonic() - renewed))
            except RunError as error:
                self._lost = error
                return
            except (PixmillError, OSError, sqlite3.Error):  # out of reach: others may have the lock once it has run out
                if time.monotonic() - renewed > TTL - RENEW_INTERVAL:
                    message = "the store was out of reach for so long that another run may have begun"
                    self._lost = RunError(message, code="locked", hint="run the same command again: it goes on where it stopped")
                    return

    def _refuse_others(self) -> None:
        """Let shards run side by side, and nothing beside a whole run."""
        for folder in _others(self._storage, self._shard):
            claim, _ = read_lease(self._storage, folder + LEASE)
            if claim is not None and is_alive(claim, time.time()):
                self._lease.release()
                raise RunError(
                    f"another run is writing to the same output (process {claim.pid} on {claim.host}, since {claim.since})",
                    code="locked",
                    hint="a whole run and a part of it (--shard) never run at once",
                )


def fetch_ledgers(destination: Address, state: Path) -> None:
    """Bring copies of the ledgers of ``destination`` to the folder ``state``, those that are not the latest here already.

    For who only wants to read: nothing is locked in the store. Where there is no store, or none has been used, nothing happens.
    """
    storage = open_storage(destination)
    if not isinstance(storage, ObjectStorage):
        return
    for folder in _kept(storage):
        here = state / os.fsdecode(folder.removeprefix(FOLDER.encode() + b"/"))
        claim, _ = read_lease(storage, folder + LEASE)
        state_folder.make(here)
        if not _is_latest(here, claim):
            with suppress(RunError), Lock(here / LOCK):  # a run that is going on here has the latest
                _fetch(storage, folder, here, claim)


def identity(state: Path) -> str:
    """Return what tells this state folder from all others, made when it is first asked for."""
    known = _read(state, IDENTITY)
    if known:
        return known
    made = uuid.uuid4().hex
    state_folder.write(state, IDENTITY, made.encode())
    return made


def _claim(state: Path) -> LeaseRecord:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return LeaseRecord(holder=identity(state), host=socket.gethostname(), pid=os.getpid(), since=since, renewed_at=0.0)


def _is_latest(state: Path, claim: LeaseRecord | None) -> bool:
    """Tell whether the ledger in ``state`` is the latest: it is of the last holder, or the copy that this one left."""
    is_here = (state / LEDGER).exists()
    return is_here and (claim is None or claim.holder == identity(state) or _read(state, COPIED_FROM) == _version(claim))


def _fetch(storage: ObjectStorage, folder: bytes, state: Path, claim: LeaseRecord | None) -> None:
    if ledger_copy.download_ledger(state, storage, folder + LEDGER.encode()) and claim is not None:
        state_folder.write(state, COPIED_FROM, _version(claim).encode())


def _version(claim: LeaseRecord) -> str:
    return f"{claim.holder} {claim.renewed_at} {claim.beat}"


def _read(state: Path, name: str) -> str:
    try:
        return state_folder.read(state, name).decode(errors="replace")
    except FileNotFoundError:
        return ""


def _folder(shard: Shard) -> bytes:
    return f"{FOLDER}/{shard.folder}/".encode() if shard.folder else f"{FOLDER}/".encode()


def _others(storage: ObjectStorage, shard: Shard) -> Iterator[bytes]:
    if shard.count > 1:
        yield _folder(Shard())
    else:
        yield from (folder for folder in _kept(storage) if folder != _folder(shard))


def _kept(storage: ObjectStorage) -> Iterator[bytes]:
    """Yield the folders of the store that hold the state of a run."""
    for listing in storage.list(FOLDER.encode()):
        folder = listing[0].path.rpartition(b"/")[0] + b"/"
        if any(entry.path in (folder + LEASE, folder + LEDGER.encode()) for entry in listing):
            yield folder
