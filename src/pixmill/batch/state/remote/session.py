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
from pixmill.batch.state.resharding import other_recipe
from pixmill.core.errors import ImageError, PixmillError, RunError
from pixmill.core.events import Event, Observer
from pixmill.core.humanize import duration_text
from pixmill.core.waits import STORE_TIMEOUT
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.storage.address import Address
from pixmill.storage.object_store.storage import ObjectStorage
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import SICK

LEASE = b"lease"
IDENTITY = "identity"  # the file that makes a state folder one of a kind
FIRST_UPLOAD = 60.0  # seconds until the first copy of the ledger
UPLOAD_SHARE = 20  # a copy that took a second is followed by this many without one
MAX_COMPARED = 16  # other shards whose recipes are compared when one begins: each costs a request
END_TIMEOUT = 10.0  # seconds, at the end of a run, with a store that does not answer
_POLL = 0.02  # seconds
_HINT = "run the same command again: it goes on where it stopped"


class RemoteStateSession(IgnoresUnchanged, Observer):
    """Holds an output in a store for one run. As an observer it ends the run when the lock was lost: ``RunError`` ``locked``.

    While the store is out of reach for so long that the lock may have run out, no work may begin (``waiting``); once it can be
    reached again, the lock is renewed, unless another run has taken it. After ``timeout`` seconds without that, the run ends.
    The local lock of ``state`` must be held.
    """

    def __init__(
        self, storage: ObjectStorage, state: Path, shard: Shard, *, timeout: float = STORE_TIMEOUT, recipe: str = ""
    ) -> None:
        """Ask for nothing yet. ``recipe`` is that of a shard, which must be the same for those that run beside it."""
        self._recipe = recipe
        self._timeout = max(timeout, TTL)
        self._renewed = time.monotonic()
        self._storage = storage
        self._state = state
        self._shard = shard
        self._folder = _folder(shard)
        self._lease = Lease(storage, self._folder + LEASE, _claim(state, recipe))
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._renew_lease, self._copy_ledger)]
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
        self._renewed = time.monotonic()
        for thread in self._threads:
            thread.start()

    def waiting(self) -> str:
        """Return why no work may begin at the moment: the lock may have run out."""
        late = time.monotonic() - self._renewed
        return f"the lock of the output could not be renewed for {duration_text(late)}" if late > TTL - RENEW_INTERVAL else ""

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
        """Put the ledger as it is now, if the run began, and let go of the lock; neither if the store is sick.

        Then the next run here has the ledger, one elsewhere begins with an older copy, and the lock runs out.
        """
        self._ends.set()
        has_begun, began = self._threads[0].ident is not None, time.monotonic()
        while any(thread.is_alive() for thread in self._threads):
            time.sleep(_POLL)
            if self._lease.is_waiting and time.monotonic() - began > END_TIMEOUT:
                return
        try:
            if has_begun and self._lost is None:
                ledger_copy.upload_ledger(self._state, self._storage, self._folder + LEDGER.encode())
        except PixmillError as error:
            if error.code in SICK:
                return
        except (OSError, sqlite3.Error):
            pass
        with suppress(PixmillError):
            self._lease.release()

    def _renew_lease(self) -> None:
        """Renew the lock until the end, or its loss."""
        while not self._ends.wait(RENEW_INTERVAL):
            try:
                self._lease.renew()
                self._renewed = time.monotonic()
            except RunError as error:
                self._lost = error
                return
            except PixmillError as error:  # out of reach: others may have the lock once it has run out
                late = time.monotonic() - self._renewed
                if late > self._timeout:
                    message = f"the lock of the output could not be renewed for {duration_text(late)}: {error.message}"
                    self._lost = RunError(message, code="unreachable", hint=_HINT)
                    return

    def _copy_ledger(self) -> None:
        """Put copies of the ledger from time to time, until the end or the loss of the lock."""
        pause = FIRST_UPLOAD
        while not self._ends.wait(pause) and self._lost is None:
            began = time.monotonic()
            with suppress(PixmillError, OSError, sqlite3.Error):  # the next copy may succeed
                ledger_copy.upload_ledger(self._state, self._storage, self._folder + LEDGER.encode())
            pause = max(FIRST_UPLOAD, UPLOAD_SHARE * (time.monotonic() - began))

    def _refuse_others(self) -> None:
        """Let shards run side by side, and nothing beside a whole run."""
        for folder in _others(self._storage, self._shard):
            claim, _ = read_lease(self._storage, folder + LEASE)
            if claim is not None and is_alive(claim, time.time()):
                self._lease.release()
                raise RunError(
                    f"another run is writing to the same output ({claim})",
                    code="locked",
                    hint="a whole run and a part of it (--shard) never run at once",
                )
        for other in _beside(self._shard) if self._recipe else ():
            claim, _ = read_lease(self._storage, _folder(other) + LEASE)
            if claim is not None and claim.recipe not in ("", self._recipe) and is_alive(claim, time.time()):
                self._lease.release()
                age = duration_text(max(0.0, time.time() - claim.renewed_at))
                raise other_recipe(other, f"{claim}; last sign of life {age} ago")


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


def run_at_work(destination: Address) -> str:
    """Return a sentence about a run that writes to ``destination`` and has left no copy of its ledger yet; empty if none does."""
    storage = open_storage(destination)
    if not isinstance(storage, ObjectStorage):
        return ""
    claims = (read_lease(storage, folder + LEASE)[0] for folder in _kept(storage))
    claim = next((claim for claim in claims if claim is not None and is_alive(claim, time.time())), None)
    if claim is None:
        return ""
    return f"a run has begun ({claim}), and has not left a copy of its ledger yet"


def identity(state: Path) -> str:
    """Return what tells this state folder from all others, made when it is first asked for."""
    known = _read(state, IDENTITY)
    if known:
        return known
    made = uuid.uuid4().hex
    state_folder.write(state, IDENTITY, made.encode())
    return made


def _claim(state: Path, recipe: str) -> LeaseRecord:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return LeaseRecord(
        holder=identity(state), host=socket.gethostname(), pid=os.getpid(), since=since, renewed_at=0.0, recipe=recipe
    )


def _is_latest(state: Path, claim: LeaseRecord | None) -> bool:
    """Tell whether the ledger in ``state`` is the latest: it is of the last holder, or the copy that this one left."""
    is_here = (state / LEDGER).exists()
    return is_here and (claim is None or claim.holder == identity(state) or _read(state, COPIED_FROM) == _version(claim))


def _fetch(storage: ObjectStorage, folder: bytes, state: Path, claim: LeaseRecord | None) -> None:
    has_copy = ledger_copy.download_ledger(state, storage, folder + LEDGER.encode())
    if claim is not None and (has_copy or is_alive(claim, time.time())):
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


def _beside(shard: Shard) -> Iterator[Shard]:
    """Yield the shards that follow ``shard`` in its split, those that are compared with it."""
    for step in range(1, min(shard.count, MAX_COMPARED + 1)):
        yield Shard((shard.index - 1 + step) % shard.count + 1, shard.count)


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
