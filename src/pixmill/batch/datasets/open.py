"""Open a dataset: for the run that writes it, and for reading."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pixmill.batch.config.models import Placement
from pixmill.batch.datasets.catalogue import CATALOGUE_FILE, Catalogue
from pixmill.batch.datasets.contents import CombinedOutputs, Contents, Outputs
from pixmill.batch.datasets.dataset import Dataset, dataset_at, home, with_former_packing
from pixmill.batch.datasets.index import is_indexed
from pixmill.batch.datasets.index_rebuild import import_index
from pixmill.batch.datasets.sealing.sealing import Sealing
from pixmill.batch.datasets.shard_layout import NO_SPLITS, Bounds, Layout
from pixmill.batch.datasets.shard_store import ShardStore, open_shard_store
from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.core.events import Observer
from pixmill.core.temporary_folder import temporary_folder
from pixmill.engine.clock import SystemClock
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.storage.address import Address
from pixmill.storage.retry.storage import open_with_retries


def open_sealing(  # noqa: PLR0913  # each is a part of the run
    dataset: Dataset,
    placement: Placement,
    state: Path,
    ledger: Ledger,
    observers: Sequence[Observer],
    stack: ExitStack,
    *,
    repairs: bool = False,
) -> Sealing:
    """Return the sealing of ``dataset``, whose catalogue is in ``state``. The caller holds the lock of the output.

    If the run ``repairs``, or ``placement`` says so, shards that were changed are written again.
    """
    state_folder.refuse_hard_links(state, CATALOGUE_FILE)
    catalogue = Catalogue(state / CATALOGUE_FILE)
    stack.callback(catalogue.close)
    store = open_shard_store(dataset.home)
    stack.callback(store.close)
    publisher = EventPublisher(observers, SystemClock())
    replaces = repairs or placement.existing == "replace"
    sealing = Sealing(
        dataset,
        store,
        ledger=ledger,
        catalogue=catalogue,
        layout=layout(placement),
        publisher=publisher,
        replaces=replaces,
        verifies=repairs,
    )
    stack.callback(sealing.close)
    return sealing


@contextmanager
def open_contents(dataset: Dataset, state: Path) -> Iterator[Contents]:
    """Open the contents of ``dataset``, whose catalogue is in ``state``, for reading; a run may be in progress."""
    with ExitStack() as stack:
        store = open_shard_store(dataset.home)
        stack.callback(store.close)
        contents = Contents(dataset, _catalogue_to_read(dataset, state, store, stack), store)
        stack.callback(contents.close)
        yield contents


def _catalogue_to_read(dataset: Dataset, state: Path, store: ShardStore, stack: ExitStack) -> Catalogue | None:
    """Return the catalogue of this machine, or for a dataset in a store one built from its indexes, which may be more recent."""
    if dataset.home.local is None and is_indexed(dataset, store):
        folder = Path(stack.enter_context(temporary_folder()))
        catalogue = Catalogue(folder / CATALOGUE_FILE)
        import_index(dataset, catalogue, store, is_ours=lambda: True)
    elif (state / CATALOGUE_FILE).exists():
        state_folder.check(state)
        catalogue = Catalogue(state / CATALOGUE_FILE, read_only=True)
    else:
        return None
    stack.callback(catalogue.close)
    return catalogue


@contextmanager
def open_outputs(destination: str, *, former: str, ledger_files: Sequence[LedgerFile]) -> Iterator[Outputs]:
    """Open the outputs in ``destination`` for reading; ``former`` is the DST of its last run, ``ledger_files`` are its ledgers."""
    address = Address.parse(with_former_packing(destination, former))
    with ExitStack() as stack:
        datasets = [(dataset_at(address, each.shard), each.folder) for each in ledger_files]
        parts = [stack.enter_context(open_contents(dataset, folder)) for dataset, folder in datasets if dataset]
        yield CombinedOutputs(parts) if parts else open_with_retries(home(address))


def layout(placement: Placement) -> Layout:
    """Return how samples become shards by ``placement``."""
    limits = {"size": placement.shard_size, "samples": placement.shard_samples}
    bounds = Bounds(**{name: int(value) for name, value in limits.items() if value is not None})
    return Layout(
        bounds=bounds,
        caption=placement.caption,
        splits=placement.split or NO_SPLITS,
        seed=placement.shuffle,
    )
