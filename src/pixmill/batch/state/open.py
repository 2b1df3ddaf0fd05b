"""The state of an output: its lock, its ledger, and what a dead run left behind."""

from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.identity import OwnTags, ensure_identity
from pixmill.batch.state.ledger_files import LEDGER, LOCK, open_to_write
from pixmill.batch.state.lock import Lock
from pixmill.batch.state.resharding import check_not_running, import_from_other_split, overlapping_ledgers
from pixmill.batch.state.stored_config import stored_config
from pixmill.core.events import Event, Observer
from pixmill.engine.events import WorkerLost
from pixmill.engine.ledger import FINISHED, Ledger, RunRecord
from pixmill.engine.task import State
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage

#: how the codes of failures begin that an option may have lifted
LIMIT_CODES = ("limit", "timeout", "out-of-memory", "exists", "write-link")


class RunLocations(Protocol):
    """Where an output and its state are, as ``Places`` has found them."""

    @property
    def output_root(self) -> Address:
        """DST, and of a dataset the folder of its shards."""

    @property
    def destination(self) -> Address:
        """Where workers write."""

    @property
    def state(self) -> Path:
        """The folder of the state, on this machine."""

    @property
    def lock_folder(self) -> Path:
        """The folder of this machine with the lock and the identity of the output."""

    def check_apart(self, source: str) -> None:
        """Raise ``AddressError`` when SRC is the output, or lies in it."""


def open_run_state(config: RunConfig, places: RunLocations, stack: ExitStack) -> tuple[Ledger, tuple[Observer, ...]]:
    """Make the state folder of ``places``, take the lock, open the ledger, and clear away what a dead run left behind.

    With the ledger come observers that the run needs for the sake of its state.
    """
    state, guard, shard = places.state, places.lock_folder, config.selection.shard
    for folder in (guard, state):
        state_folder.make(folder)
    output = str(places.output_root)
    stack.enter_context(Lock(guard / LOCK, output, shared=shard.count > 1))
    ensure_identity(guard)
    places.check_apart(config.source)
    if state != guard:
        stack.enter_context(Lock(state / LOCK, output))
    others = overlapping_ledgers(shard, state)
    check_not_running(shard, others)
    keepers = _remote_session(places, shard, stack)
    is_new = not (state / LEDGER).exists()
    ledger = open_to_write(state)
    stack.callback(ledger.close)
    runs = list(ledger.runs())
    inherited = import_from_other_split(ledger, shard, others)
    last = inherited or (runs[-1] if runs else None)
    if is_new or (last and last.reason != FINISHED):
        remove_temporaries(places, shard)
    if last:
        _reset_limit_failures(ledger, last, config)
    return ledger, (SweepAfterCrash(places, shard), *keepers)


def _remote_session(places: RunLocations, shard: Shard, stack: ExitStack) -> tuple[Observer, ...]:
    """Hold an output that is in a store against other machines, and bring its ledger here: nothing for any other output."""
    if places.output_root.local:
        return ()
    # All of it takes longer to import than a small picture to make, and most outputs are folders.
    from pixmill.batch.state.remote.session import RemoteStateSession  # noqa: PLC0415
    from pixmill.storage.object_store.storage import ObjectStorage  # noqa: PLC0415

    storage = open_storage(places.output_root)
    if not isinstance(storage, ObjectStorage):
        return ()
    keeper = RemoteStateSession(storage, places.state, shard)
    stack.callback(keeper.end)
    keeper.begin()
    return (keeper,)


def remove_temporaries(places: RunLocations, shard: Shard) -> None:
    """Remove the temporaries that dead runs and workers have left of this output: nobody else can be writing, the lock is ours."""
    dead = [shard, *(each.shard for each in overlapping_ledgers(shard, places.state))] if shard.count > 1 else None
    open_storage(places.destination).remove_temporaries(OwnTags(places.lock_folder, dead))


def _reset_limit_failures(ledger: Ledger, last: RunRecord, config: RunConfig) -> None:
    """Give failures another chance of which an option decides that has changed since, and that the id does not know."""
    if last.metadata == stored_config(config):
        return
    at_a_limit = (
        record.key
        for record in ledger.records(State.FAILED)
        if record.failure is not None and record.failure.code.startswith(LIMIT_CODES)
    )
    ledger.reset(list(at_a_limit))


class SweepAfterCrash:
    """An observer that clears away, at the end of a run, what workers left that were killed in the middle of a write."""

    def __init__(self, places: RunLocations, shard: Shard) -> None:
        """Have seen no loss."""
        self._places = places
        self._shard = shard
        self._has_lost_workers = False

    def on_event(self, event: Event) -> None:
        """Take note of a lost worker."""
        self._has_lost_workers = self._has_lost_workers or isinstance(event, WorkerLost)

    def close(self) -> None:
        """Sweep the output if there is anything to expect: it takes a look at every folder."""
        if self._has_lost_workers:
            remove_temporaries(self._places, self._shard)
