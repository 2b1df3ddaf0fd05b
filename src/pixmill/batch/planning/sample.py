"""``Sample``: some images of a source, chosen from all of its folders, and the plan to process them into a scratch folder."""

import heapq
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec

from pixmill.batch.config.models import OF_DATASETS, RunConfig
from pixmill.batch.item import Item
from pixmill.batch.planning.empty_source import no_images
from pixmill.batch.planning.locations import Locations
from pixmill.batch.planning.plan import Plan, plan
from pixmill.batch.state.location import default_state
from pixmill.core.temporary_folder import writing_temporaries
from pixmill.core.units import ALL, SampleSize
from pixmill.engine.task import Task
from pixmill.storage.address import Address

PREFIX = "pixmill-sample-"


class Choice(msgspec.Struct, frozen=True):
    """The ``items`` chosen from ``found`` images of ``source_bytes``; that is ``None`` if the size of some is unknown."""

    items: list[Item]
    found: int
    source_bytes: int | None


class Sample(msgspec.Struct, frozen=True):
    """The ``plan`` of a sample, whose destination is a new scratch folder, and the ``tasks`` of the ``choice``."""

    plan: Plan
    choice: Choice
    tasks: list[Task]


def draw_sample(config: RunConfig, size: SampleSize) -> Sample:
    """List the source of ``config`` once, choose ``size`` images, and create a scratch folder for their outputs.

    DST and its state are neither read nor written. ``ConfigError`` when there are no images, otherwise errors as from ``plan``.
    """
    locations = plan(config).locations
    with writing_temporaries():
        from tempfile import mkdtemp  # noqa: PLC0415  # takes a while to import, and most runs are complete

        folder = Path(mkdtemp(prefix=PREFIX))
    try:
        sample_plan = _scratch_plan(config, locations, folder)
        choice = choose(sample_plan.items(), size)
    except BaseException:
        folder.rmdir()
        raise
    if not choice.items:
        folder.rmdir()
        raise no_images(sample_plan)
    return Sample(sample_plan, choice, [sample_plan.task(item) for item in choice.items])


def choose(items: Iterable[Item], size: SampleSize) -> Choice:
    """Return the ``size`` items whose names have the smallest hashes, in the order of ``items``.

    Thus every image is chosen with the same probability, the same images are chosen each time, and a larger sample contains the
    smaller ones. Memory is limited by the largest size of a sample.
    """
    kept: list[tuple[int, int, Item]] = []  # the largest hash first; the number of the item restores the order
    capacity = size.count or size.MAX_COUNT
    found = source_bytes = 0
    is_sized = True
    for item in items:
        found += 1
        source_bytes += item.entry.size
        is_sized = is_sized and (item.entry.size > 0 or not item.locator)
        entry = (-_hash(item.entry.path), found, item)
        if len(kept) < capacity:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)
    smallest = heapq.nlargest(int(size.of(found)), kept)
    chosen = [item for _, _, item in sorted(smallest, key=lambda entry: entry[1])]
    return Choice(chosen, found, source_bytes if is_sized else None)


def _hash(path: bytes) -> int:
    return int.from_bytes(blake2b(path, digest_size=8).digest())


def _scratch_plan(config: RunConfig, locations: Locations, folder: Path) -> Plan:
    """Return the plan of a run into ``folder`` that never stops because of failures, since they are what it looks for."""
    of_datasets = dict.fromkeys(OF_DATASETS)
    placement = config.placement.evolve(state=None, index=None, existing="fail", **of_datasets)
    destination = Address.parse(folder)
    state = default_state(destination) / config.selection.shard.folder
    return Plan(
        config.evolve(destination=str(folder), placement=placement, policy=config.policy.evolve(max_failures=ALL), force=False),
        msgspec.structs.replace(locations, destination=destination, state=state, dataset=None),
    )
