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
from pixmill.batch.state.resharding import refuse_beside, relatives, take_over
from pixmill.batch.state.stored_config import about
from pixmill.core.events import Event, Observer
from pixmill.engine.events import WorkerLost
from pixmill.engine.ledger import FINISHED, Ledger, RunRecord
from pixmill.engine.task import State
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage

#: how the codes of failures begin that an option may have lifted
RECONSIDERED = ("limit", "timeout", "out-of-memory", "exists", "write-link")


class OutputPlaces(Protocol):
    """Where an output and its state are, as ``Places`` has found them."""

    @property
    def home(self) -> Address:
        """DST, and of a dataset the folder of its shards."""

    @property
    def destination(self) -> Address:
        """Where workers write."""

    @property
    def state(self) -> Path:
        """The folder of the state, on this machine."""

    @property
    def guard(self) -> Path:
        """The folder of this machine with the lock and the identity of the output."""

    def check_apart(self, source: str) -> None:
        """Raise ``AddressError`` when SRC is the output, or lies in it."""


def open_state(config: RunConfig, places: OutputPlaces, stack: ExitStack) -> tuple[Ledger, tuple[Observer, ...]]:
    """Make the state folder of ``places``, take the lock, open the ledger, and clear away what a dead run left behind.

    With the ledger come observers that the run needs for the sake of its state.
    """
    state, guard, shard = places.state, places.guard, config.selection.shard
    for folder in (guard, state):
        state_folder.make(folder)
    output = str(places.home)
    stack.enter_context(Lock(guard / LOCK, output, shared=shard.count > 1))
    ensure_identity(guard)
    places.check_apart(config.source)
    if state != guard:
        stack.enter_context(Lock(state / LOCK, output))
    others = relatives(shard, state)
    refuse_beside(shard, others)
    keepers = _keepers(places, shard, stack)
    is_new = not (state / LEDGER).exists()
    ledger = open_to_write(state)
    stack.callback(ledger.close)
    runs = list(ledger.runs())
    inherited = take_over(ledger, shard, others)
    last = inherited or (runs[-1] if runs else None)
    if is_new or (last and last.reason != FINISHED):
        sweep(places, shard)
    if last:
        _reconsider(ledger, last, config)
    return ledger, (Losses(places, shard), *keepers)


def _keepers(places: OutputPlaces, shard: Shard, stack: ExitStack) -> tuple[Observer, ...]:
    """Hold an output that is in a store against other machines, and bring its ledger here: nothing for any other output."""
    if places.home.local:
        return ()
    # All of it takes longer to import than a small picture to make, and most outputs are folders.
    from pixmill.batch.state.remote.session import Keeper  # noqa: PLC0415
    from pixmill.storage.object_store.storage import ObjectStorage  # noqa: PLC0415

    storage = open_storage(places.home)
    if not isinstance(storage, ObjectStorage):
        return ()
    keeper = Keeper(storage, places.state, shard)
    stack.callback(keeper.end)
    keeper.begin()
    return (keeper,)


def sweep(places: OutputPlaces, shard: Shard) -> None:
    """Remove the temporaries that dead runs and workers have left of this output: nobody else can be writing, the lock is ours."""
    dead = [shard, *(each.shard for each in relatives(shard, places.state))] if shard.count > 1 else None
    open_storage(places.destination).remove_temporaries(OwnTags(places.guard, dead))


def _reconsider(ledger: Ledger, last: RunRecord, config: RunConfig) -> None:
    """Give failures another chance of which an option decides that has changed since, and that the id does not know."""
    if last.metadata == about(config):
        return
    at_a_limit = (
        record.key
        for record in ledger.records(State.FAILED)
        if record.failure is not None and record.failure.code.startswith(RECONSIDERED)
    )
    ledger.reset(list(at_a_limit))


class Losses:
    """An observer that clears away, at the end of a run, what workers left that were killed in the middle of a write."""

    def __init__(self, places: OutputPlaces, shard: Shard) -> None:
        """Have seen no loss."""
        self._places = places
        self._shard = shard
        self._is_lossy = False

    def on_event(self, event: Event) -> None:
        """Take note of a lost worker."""
        self._is_lossy = self._is_lossy or isinstance(event, WorkerLost)

    def close(self) -> None:
        """Sweep the output if there is anything to expect: it takes a look at every folder."""
        if self._is_lossy:
            sweep(self._places, self._shard)
