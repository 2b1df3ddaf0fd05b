"""Shards take the place of others: what is decided is seen through, by whichever run, and what is left over is cleared away."""

from collections.abc import Sequence

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, Stage
from pixmill.batch.datasets.contents import place_of
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.core.errors import ConfigError


def roll_forward(dataset: Dataset, catalogue: Catalogue, shelf: ShardStore) -> list[DatasetShard]:
    """Do what the catalogue says is decided, which may have been done in part before; return the shards that are sealed by it."""
    changing = catalogue.changing()
    if not changing:
        return []
    sealing = [shard for shard in changing if shard.stage is Stage.SEALING]
    for shard in sealing:
        staged = dataset.staging / shard.name
        if staged.exists():  # else it was put there before a dead run came to say so
            shelf.put(staged)
    taken = {shard.name for shard in sealing}
    for shard in changing:
        if shard.stage is Stage.LEAVING and shard.name not in taken:
            shelf.remove(shard.name)
    catalogue.commit_switch()
    return sealing


def remove_orphans(dataset: Dataset, catalogue: Catalogue, shelf: ShardStore) -> None:
    """Forget what the catalogue says of files that are not what it says, and remove what a dead run left in the staging folder.

    ``ConfigError`` when there are shards that the catalogue does not know: they would be written over.
    """
    shards, sizes = catalogue.shards(), shelf.sizes()
    known = {shard.name for shard in shards if shard.stage is Stage.SEALED}
    _refuse_unknown(dataset, [name for name in sorted(sizes) if dataset.is_shard(name) and name not in known])
    for shard in shards:
        if place_of(dataset, shard, sizes) is None and shard.stage is Stage.STAGED:
            discard(dataset, catalogue, shard)
        elif place_of(dataset, shard, sizes) is None:
            catalogue.invalidate(shard)
    staged = {shard.name for shard in shards if shard.stage is Stage.STAGED}
    for path in dataset.staging.iterdir():
        if path.name not in staged:
            path.unlink()


def _refuse_unknown(dataset: Dataset, unknown: Sequence[str]) -> None:
    strange = next((name for name in unknown if not dataset.is_of_other_shard(name)), None)
    if strange is not None:
        raise ConfigError(
            f"{dataset.home} holds {strange}, which is none of the shards that this run knows of",
            hint="name another folder, or remove the shards that are there",
        )


def discard(dataset: Dataset, catalogue: Catalogue, shard: DatasetShard) -> None:
    """Forget a staged shard that is not wanted any more, then remove its file."""
    catalogue.delete(shard)
    (dataset.staging / shard.name).unlink(missing_ok=True)
