"""Open what a run needs of the dataset that it makes, and what others need to look into one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pixmill.batch.config import Placement
from pixmill.batch.datasets.catalogue import CATALOGUE, Catalogue
from pixmill.batch.datasets.contents import Outputs, Several, open_contents
from pixmill.batch.datasets.dataset import as_before, dataset_at, home
from pixmill.batch.datasets.layout import Bounds
from pixmill.batch.datasets.sealing import Sealing
from pixmill.batch.ledgers import Holding
from pixmill.batch.places import Places
from pixmill.batch.plan import Plan
from pixmill.batch.state import outputs_stand
from pixmill.core.events import Observer
from pixmill.engine.admission import StillValid
from pixmill.engine.announcer import Announcer
from pixmill.engine.clock import SystemClock
from pixmill.engine.ledger import Ledger
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage


def open_sealing(made: Plan, ledger: Ledger, observers: Sequence[Observer], stack: ExitStack) -> Sealing | None:
    """Return what seals the dataset of ``made``, ``None`` when it makes none. The lock of the output is the caller's."""
    places = made.places
    if places.dataset is None:
        return None
    catalogue = Catalogue(places.state / CATALOGUE)
    stack.callback(catalogue.close)
    announcer = Announcer(observers, SystemClock())
    sealing = Sealing(places.dataset, ledger, catalogue, bounds=bounds(made.config.placement), announcer=announcer)
    stack.callback(sealing.close)
    return sealing


@contextmanager
def open_outputs(destination: str, *, former: str, held: Sequence[Holding]) -> Iterator[Outputs]:
    """Give what was made in ``destination``, to read; ``former`` is how its last run named it, ``held`` where its ledgers are."""
    asked = Address.parse(as_before(destination, former))
    with ExitStack() as stack:
        found = [(dataset_at(asked, each.shard), each.folder) for each in held]
        parts = [stack.enter_context(open_contents(dataset, folder)) for dataset, folder in found if dataset]
        yield Several(parts) if parts else open_storage(home(asked))


@contextmanager
def standing(places: Places) -> Iterator[StillValid]:
    """Give what tells whether the outputs of a finished task are still there, without a run."""
    if places.dataset is None:
        yield outputs_stand(places.destination)
    else:
        with open_contents(places.dataset, places.state) as contents:
            yield contents.stands


def bounds(placement: Placement) -> Bounds:
    """Return where shards end, as far as it was asked for."""
    asked = {"size": placement.shard_size, "samples": placement.shard_samples}
    return Bounds(**{name: int(value) for name, value in asked.items() if value is not None})
