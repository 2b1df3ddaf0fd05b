"""Open what a run needs of the dataset that it makes, and what others need to look into one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pixmill.batch.config.models import Placement
from pixmill.batch.datasets.catalogue import CATALOGUE, Catalogue
from pixmill.batch.datasets.contents import CombinedOutputs, Contents, Outputs
from pixmill.batch.datasets.dataset import Dataset, dataset_at, home, with_former_packing
from pixmill.batch.datasets.index import is_indexed
from pixmill.batch.datasets.index_rebuild import import_index
from pixmill.batch.datasets.sealing.sealing import Sealing
from pixmill.batch.datasets.shard_layout import Bounds
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


def open_sealing(
    dataset: Dataset, placement: Placement, state: Path, ledger: Ledger, observers: Sequence[Observer], stack: ExitStack
) -> Sealing:
    """Return what seals the shards of ``dataset``, whose catalogue is in ``state``. The lock of the output is the caller's."""
    state_folder.refuse_hard_links(state, CATALOGUE)
    catalogue = Catalogue(state / CATALOGUE)
    stack.callback(catalogue.close)
    shelf = open_shard_store(dataset.home)
    stack.callback(shelf.close)
    publisher, limits = EventPublisher(observers, SystemClock()), bounds(placement)
    sealing = Sealing(dataset, shelf, ledger=ledger, catalogue=catalogue, bounds=limits, publisher=publisher)
    stack.callback(sealing.close)
    return sealing


@contextmanager
def open_contents(dataset: Dataset, state: Path) -> Iterator[Contents]:
    """Open the contents of ``dataset``, whose catalogue is in ``state``, to read; a run may be going on meanwhile."""
    with ExitStack() as stack:
        shelf = open_shard_store(dataset.home)
        stack.callback(shelf.close)
        contents = Contents(dataset, _catalogue_to_read(dataset, state, shelf, stack), shelf)
        stack.callback(contents.close)
        yield contents


def _catalogue_to_read(dataset: Dataset, state: Path, shelf: ShardStore, stack: ExitStack) -> Catalogue | None:
    """Return the catalogue of this machine, or for a dataset in a store one of what its indexes say: another may know more."""
    if dataset.home.local is None and is_indexed(dataset, shelf):
        folder = Path(stack.enter_context(temporary_folder()))
        catalogue = Catalogue(folder / CATALOGUE)
        import_index(dataset, catalogue, shelf, is_ours=lambda: True)
    elif (state / CATALOGUE).exists():
        state_folder.check(state)
        catalogue = Catalogue(state / CATALOGUE, read_only=True)
    else:
        return None
    stack.callback(catalogue.close)
    return catalogue


@contextmanager
def open_outputs(destination: str, *, former: str, held: Sequence[LedgerFile]) -> Iterator[Outputs]:
    """Give what was made in ``destination``, to read; ``former`` is how its last run named it, ``held`` where its ledgers are."""
    asked = Address.parse(with_former_packing(destination, former))
    with ExitStack() as stack:
        found = [(dataset_at(asked, each.shard), each.folder) for each in held]
        parts = [stack.enter_context(open_contents(dataset, folder)) for dataset, folder in found if dataset]
        yield CombinedOutputs(parts) if parts else open_with_retries(home(asked))


def bounds(placement: Placement) -> Bounds:
    """Return where shards end, as far as it was asked for."""
    asked = {"size": placement.shard_size, "samples": placement.shard_samples}
    return Bounds(**{name: int(value) for name, value in asked.items() if value is not None})
