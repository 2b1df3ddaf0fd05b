"""``Survey``: what a run would do, counted before anything is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import msgspec

from pixmill.batch.item import Item, to_task
from pixmill.batch.outputs.name_conflicts import ConflictCounter, conflict_warnings
from pixmill.batch.outputs.still_valid import still_valid
from pixmill.batch.planning import size_checks
from pixmill.batch.planning.locations import Locations
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state import state_folder
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.batch.state.outputs import outputs_exist
from pixmill.batch.state.unrecorded import last_commit, unrecorded
from pixmill.engine.ledger import Ledger
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import State
from pixmill.imaging.step_order import order_warnings
from pixmill.storage.open import open_storage

CHUNK = 1000
EXAMPLES = 10


class DryRun(msgspec.Struct, kw_only=True):
    """The counts of a plan. ``examples`` pairs the first sources with the names of their outputs.

    ``makes`` says in words what is made of each image. ``occupied`` counts images that want a name which a file of others has,
    ``linked`` those behind a symbolic link in DST.

    ``seconds`` is how long it will take at the rate of the last run here, ``None`` when there was none.
    """

    to_do: int = 0
    unchanged: int = 0
    failed_before: int = 0
    renamed: int = 0
    occupied: int = 0
    linked: int = 0
    outputs: int = 0
    bytes_in: int = 0
    ignored: dict[str, int] = {}
    makes: tuple[str, ...] = ()
    examples: list[tuple[bytes, tuple[bytes, ...]]] = []
    warnings: list[str] = []
    seconds: float | None = None

    @property
    def found(self) -> int:
        """Return the number of all images."""
        return self.to_do + self.unchanged + self.failed_before


def dry_run(plan: Plan) -> DryRun:
    """Walk the whole source and count what a run of ``plan`` would do. Writes nothing."""
    counted = DryRun(makes=plan.makes, warnings=_warnings(plan))
    sample: list[Item] = []
    sample_size = size_checks.wanted(plan)
    placement = plan.config.placement
    items = ((item, bool(item.names) and plan.namer.is_renamed(item.entry.path, item.names)) for item in plan.items())
    is_dataset = plan.places.dataset is not None
    committed = last_commit(plan.places.state)
    with _ledger(plan) as ledger, _standing(plan.places) as stands:
        follow = placement.follow_output_links
        spans = unrecorded(ledger.runs(), plan.places.state, committed=committed)
        occupancy = None if is_dataset else ConflictCounter(plan.places.destination, ledger, follow_links=follow, unrecorded=spans)
        while chunk := list(islice(items, CHUNK)):
            tasks = [to_task(item, plan.fingerprint) for item, _ in chunk]
            records = ledger.get([task.key for task in tasks])
            for (item, is_renamed), task, record in zip(chunk, tasks, records, strict=True):
                known = record if record and record.id == task.id and not plan.config.force else None
                if known and known.state is State.DONE and stands(task, known):
                    counted.unchanged += 1
                elif known and known.state is State.FAILED and stands(task, known):
                    counted.failed_before += 1
                else:
                    _count_work(counted, item)
                    sample += [item] if len(sample) < sample_size and not item.source_error else []
                    counted.renamed += is_renamed
                    if occupancy:
                        occupancy.count(item, record)
        counted.seconds = _estimate(counted, ledger)
    counted.ignored = dict(plan.selector.ignored)
    counted.warnings += size_checks.warnings(plan, sample)
    if occupancy:
        counted.occupied, counted.linked = occupancy.conflicts.occupied, occupancy.conflicts.linked
        counted.warnings += conflict_warnings(occupancy.conflicts, placement.existing, is_all=True)
    return counted


@contextmanager
def _standing(places: Locations) -> Iterator[StillValid]:
    """Give what tells whether the outputs of a finished task are still there, without a run."""
    if places.dataset is None:
        yield still_valid(outputs_exist(places.destination), open_storage(places.destination).is_occupied)
        return
    from pixmill.batch.datasets.open import open_contents  # noqa: PLC0415  # 20 modules that no other run needs

    with open_contents(places.dataset, places.state) as contents:
        yield still_valid(contents.exists, lambda _: False)


def _count_work(counted: DryRun, item: Item) -> None:
    counted.to_do += 1
    counted.outputs += len(item.names)
    counted.bytes_in += item.entry.size
    if len(counted.examples) < EXAMPLES:
        counted.examples.append((item.entry.path, item.names))


def _warnings(plan: Plan) -> list[str]:
    recipe = plan.config.recipe
    found = (warning for rendition in recipe.renditions for warning in order_warnings((*recipe.steps, *rendition.steps)))
    return list(dict.fromkeys(found))


def _estimate(counted: DryRun, ledger: Ledger) -> float | None:
    rates = [run.counts.done / (run.ended_at - run.started_at) for run in ledger.runs() if run.ended_at and run.counts.done]
    return counted.to_do / rates[-1] if rates else None


@contextmanager
def _ledger(plan: Plan) -> Iterator[Ledger]:
    state_folder.check(plan.places.state)
    path = plan.places.state / LEDGER
    ledger: Ledger = SqliteLedger(path, read_only=True) if path.exists() else MemoryLedger()
    try:
        yield ledger
    finally:
        ledger.close()
