"""Open the state of an output for a run: its lock, its ledger, and the cleanup after a killed run."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.prevention import is_preventable
from pixmill.batch.config.shard import Shard
from pixmill.batch.state import state_folder
from pixmill.batch.state.identity import OwnTags, ensure_identity
from pixmill.batch.state.ledger_files import LEDGER, LOCK, open_to_write
from pixmill.batch.state.lock import Lock
from pixmill.batch.state.resharding import (
    check_not_running,
    check_same_recipe,
    import_from_other_split,
    overlapping_ledgers,
    recipe_of_shard,
)
from pixmill.batch.state.stored_config import codes_preventable_since
from pixmill.core.events import Event, Observer
from pixmill.core.text import has_secret
from pixmill.engine.events import WorkerLost
from pixmill.engine.ledger import FINISHED, Ledger, RunRecord
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.task import State
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


class RunLocations(Protocol):
    """The locations of an output and its state, as in ``Locations``."""

    @property
    def output_root(self) -> Address:
        """DST or, for a dataset, the folder of its shards."""

    @property
    def destination(self) -> Address:
        """Where workers write."""

    @property
    def state(self) -> Path:
        """The state folder, on this machine."""

    @property
    def lock_folder(self) -> Path:
        """The local folder with the lock and the identity of the output."""

    def check_apart(self, sources: Sequence[str]) -> None:
        """Raise ``AddressError`` when one of the ``sources`` is the output, or lies in it."""


def open_run_state(config: RunConfig, locations: RunLocations, stack: ExitStack) -> tuple[Ledger, tuple[Observer, ...]]:
    """Create the state folder of ``locations``, take the lock, open the ledger, and remove what a killed run left behind.

    Returns the ledger, and observers that maintain the state during the run.
    """
    state, lock_folder, shard = locations.state, locations.lock_folder, config.selection.part
    for folder in (lock_folder, state):
        state_folder.make(folder)
    output = str(locations.output_root)
    stack.enter_context(Lock(lock_folder / LOCK, output, shared=shard.count > 1))
    ensure_identity(lock_folder)
    locations.check_apart(config.sources)
    if state != lock_folder:
        recipe = recipe_of_shard(config)
        stack.enter_context(Lock(state / LOCK, output, recipe=recipe))
        check_same_recipe(shard, state, recipe)
    others = overlapping_ledgers(shard, state)
    check_not_running(shard, others)
    remote_observers = _remote_session(config, locations, stack)
    if shard.count > 1:
        from pixmill.batch.state.remote.division import check_division  # noqa: PLC0415  # few runs are divided

        check_division(shard, locations.output_root, state)
    is_new = not (state / LEDGER).exists()
    is_private = any(map(has_secret, config.sources))
    ledger = open_to_write(state, is_durable=config.placement.durability == "full", is_private=is_private)
    stack.callback(ledger.close)
    runs = list(ledger.runs())
    inherited = import_from_other_split(ledger, shard, others)
    last = inherited or (runs[-1] if runs else None)
    if is_new or last is None or last.reason != FINISHED:
        remove_temporaries(locations, shard)
    _reset_preventable_failures(ledger, [inherited] if inherited else runs, config)
    return ledger, (SweepAfterCrash(locations, shard), *remote_observers)


def _remote_session(config: RunConfig, locations: RunLocations, stack: ExitStack) -> tuple[Observer, ...]:
    """For an output in a store, lock it against other machines and fetch its ledger; otherwise do nothing."""
    if locations.output_root.local:
        return ()
    # These imports take longer than processing a small image, and most outputs are folders.
    from pixmill.batch.state.remote.session import RemoteStateSession  # noqa: PLC0415
    from pixmill.storage.object_store.storage import ObjectStorage  # noqa: PLC0415

    storage = open_storage(locations.output_root)
    if not isinstance(storage, ObjectStorage):
        return ()
    shard, recipe = config.selection.shard, recipe_of_shard(config)
    session = RemoteStateSession(storage, locations.state, shard, timeout=config.policy.store_timeout, recipe=recipe)
    stack.callback(session.end)
    session.begin()
    return (session,)


def remove_temporaries(locations: RunLocations, shard: Shard) -> None:
    """Remove the temporary files left by killed runs and workers. The caller holds the lock, so no other run is writing."""
    shards = [shard, *(each.shard for each in overlapping_ledgers(shard, locations.state))] if shard.count > 1 else None
    open_storage(locations.destination).remove_temporaries(OwnTags(locations.lock_folder, shards))


def _reset_preventable_failures(ledger: Ledger, runs: Sequence[RunRecord], config: RunConfig) -> None:
    """Make the failures pending that may be prevented by options which have changed since the last of ``runs``."""
    if codes := codes_preventable_since(runs, config):
        failed = ((record.key, record.failure) for record in ledger.records(State.FAILED))
        ledger.reset([key for key, failure in failed if failure is not None and is_preventable(failure, codes)])


class SweepAfterCrash(IgnoresUnchanged):
    """An observer that removes, at the end of a run, the temporary files of workers that were killed during a write."""

    def __init__(self, locations: RunLocations, shard: Shard) -> None:
        """Start with no worker lost."""
        self._locations = locations
        self._shard = shard
        self._has_lost_workers = False

    def on_event(self, event: Event) -> None:
        """Remember whether a worker was lost."""
        self._has_lost_workers = self._has_lost_workers or isinstance(event, WorkerLost)

    def close(self) -> None:
        """Sweep the output only if a worker was lost, since a sweep lists every folder."""
        if self._has_lost_workers:
            remove_temporaries(self._locations, self._shard)
