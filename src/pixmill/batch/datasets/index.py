"""The indexes of a dataset, ``_index.jsonl`` with a line for each sample, and ``_shards.json``: if both exist, it is complete."""

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, Stage
from pixmill.batch.datasets.contents import Contents
from pixmill.batch.datasets.dataset import SAMPLES_INDEX, SHARDS_INDEX, Dataset
from pixmill.batch.datasets.sample import additions, captured_at, look
from pixmill.batch.datasets.shard_file import atomic_shard_file
from pixmill.batch.datasets.shard_layout import ShardPlan
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.batch.item import OutputRecord
from pixmill.core.name_text import name_text
from pixmill.engine.observability.json_lines import json_line


def write_indexes(
    dataset: Dataset, store: ShardStore, *, plans: Iterable[ShardPlan], catalogue: Catalogue, contents: Contents
) -> None:
    """Write both to ``store``, each atomically, in the memory of ``plans``; ``RunError`` if they cannot be written.

    Those with the names of earlier versions are removed.
    """
    shards = {shard.id: shard for shard in catalogue.shards() if shard.stage is Stage.SEALED}
    lines, table = (dataset.staging / dataset.index_name(name) for name in (SAMPLES_INDEX, SHARDS_INDEX))
    with atomic_shard_file(lines) as writer:
        for entry in _entries(dataset, plans, contents, shards):
            writer.write((json_line(entry) + "\n").encode())
    with atomic_shard_file(table) as writer:
        writer.write((json.dumps(_table(dataset, list(shards.values())), indent=1) + "\n").encode())
    for file in (lines, table):
        store.put(file)
    _remove_former(dataset, store)


def index_names(dataset: Dataset, store: ShardStore) -> tuple[str, str] | None:
    """Return the names of both in ``store``, be they those of earlier versions; ``None`` if one is missing."""
    existing = store.sizes().keys()
    pairs = (_names(dataset), _former_names(dataset))
    return next((pair for pair in pairs if existing >= set(pair)), None)


def is_indexed(dataset: Dataset, store: ShardStore) -> bool:
    """Return whether both are in ``store``."""
    return index_names(dataset, store) is not None


def has_present_indexes(dataset: Dataset, store: ShardStore) -> bool:
    """Return whether both are in ``store`` under their present names, and nothing under their former ones."""
    existing = store.sizes().keys()
    return existing >= set(_names(dataset)) and existing.isdisjoint(_former_names(dataset))


def remove_indexes(dataset: Dataset, store: ShardStore) -> None:
    """Remove both: the dataset is in transition until they exist again."""
    for name in _names(dataset):
        store.remove(name)
    _remove_former(dataset, store)


def _names(dataset: Dataset) -> tuple[str, str]:
    return dataset.index_name(SAMPLES_INDEX), dataset.index_name(SHARDS_INDEX)


def _former_names(dataset: Dataset) -> tuple[str, str]:
    return dataset.former_index_name(SAMPLES_INDEX), dataset.former_index_name(SHARDS_INDEX)


def _remove_former(dataset: Dataset, store: ShardStore) -> None:
    for name in store.sizes().keys() & set(_former_names(dataset)):
        store.remove(name)


def _entries(
    dataset: Dataset, plans: Iterable[ShardPlan], contents: Contents, shards: dict[int, DatasetShard]
) -> Iterator[dict[str, object]]:
    """Yield an entry for each sample, shard by shard, in the order within the shard."""
    position_name = dataset.packing_class.position_name
    for sample in (each for plan in plans for each in plan.samples):
        members = [(member, location) for member in sample.members if (location := contents.locate(member))]
        for _, location in members[:1]:
            yield {
                "key": name_text(sample.key),
                "source": name_text(sample.source),
                "shard": shards[location.shard].name,
                "columns": msgspec.json.decode(sample.columns or b"{}"),
                **captured_at(sample),
                **additions(sample),
                "members": [_member(member) | {position_name: location.position} for member, location in members],
            }


def _member(member: OutputRecord) -> dict[str, object]:
    return {
        "name": name_text(member.name),
        "rendition": member.rendition,
        "format": member.format,
        "width": member.width,
        "height": member.height,
        "bytes": member.size,
        "hash": member.digest.hex(),
        **look(member),
    }


def _table(dataset: Dataset, shards: Sequence[DatasetShard]) -> dict[str, object]:
    rows = [{"name": shard.name, "samples": shard.samples, "bytes": shard.size, "hash": shard.digest.hex()} for shard in shards]
    return {
        "packing": dataset.packing,
        "samples": sum(shard.samples for shard in shards),
        "bytes": sum(shard.size for shard in shards),
        "shards": rows,
    }
