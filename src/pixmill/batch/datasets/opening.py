"""Open what a run needs of the dataset that it makes, and what others need to look into one."""

from collections.abc import Sequence
from contextlib import ExitStack

from pixmill.batch.config import Placement
from pixmill.batch.datasets.catalogue import CATALOGUE, Catalogue
from pixmill.batch.datasets.layout import Bounds
from pixmill.batch.datasets.sealing import Sealing
from pixmill.batch.plan import Plan
from pixmill.core.events import Observer
from pixmill.engine.announcer import Announcer
from pixmill.engine.clock import SystemClock
from pixmill.engine.ledger import Ledger


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


def bounds(placement: Placement) -> Bounds:
    """Return where shards end, as far as it was asked for."""
    asked = {"size": placement.shard_size, "samples": placement.shard_samples}
    return Bounds(**{name: int(value) for name, value in asked.items() if value is not None})
