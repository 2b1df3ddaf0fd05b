"""Replacing shards by others: a switch that has begun is completed, by this run or the next, and orphaned files are removed."""

from collections.abc import Collection, Sequence
from hashlib import blake2b, file_digest
from pathlib import Path

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, Stage
from pixmill.batch.datasets.contents import is_changed, shard_location
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.core.errors import ConfigError


def roll_forward(dataset: Dataset, catalogue: Catalogue, store: ShardStore) -> list[DatasetShard]:
    """Complete the switch in the catalogue, which may be partly done already; return the shards that it seals."""
    switch = catalogue.pending_switch()
    if not switch:
        return []
    sealing = [shard for shard in switch if shard.stage is Stage.SEALING]
    for shard in sealing:
        staged = dataset.staging / shard.name
        if staged.exists():  # otherwise a run moved it there and died before recording that
            store.put(staged)
    replaced = {shard.name for shard in sealing}
    for shard in switch:
        if shard.stage is Stage.RETIRING and shard.name not in replaced:
            store.remove(shard.name)
    catalogue.commit_switch()
    return sealing


def remove_orphans(
    dataset: Dataset, catalogue: Catalogue, store: ShardStore, *, replaces: bool, verifies: bool, splits: Collection[str] = ()
) -> None:
    """Drop catalogue entries whose files are missing, and remove files of a dead run from the staging folder.

    With ``replaces``, also drop those whose files were changed; otherwise these files stay. With ``verifies``, the content of each
    file tells whether it was changed, not only its size.

    ``ConfigError`` if there are shards, of one of ``splits`` or of none, that the catalogue does not list: it would lose them.
    """
    shards, sizes = catalogue.shards(), store.sizes()
    known = {shard.name for shard in shards if shard.stage is Stage.SEALED}
    _refuse_unknown(dataset, [name for name in sorted(sizes) if dataset.is_shard(name, splits) and name not in known])
    for shard in shards:
        if shard_location(dataset, shard, sizes) is None and shard.stage is Stage.STAGED:
            discard(dataset, catalogue, shard)
        elif (shard_location(dataset, shard, sizes) is None and (replaces or not is_changed(shard, sizes))) or (
            verifies and shard.stage is Stage.SEALED and shard.fingerprint and _digest(store.path(shard.name)) != shard.digest
        ):
            catalogue.invalidate(shard)
    store.close()
    staged = {shard.name for shard in shards if shard.stage is Stage.STAGED}
    for path in dataset.staging.iterdir():
        if path.name not in staged:
            path.unlink()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=16)).digest()


def _refuse_unknown(dataset: Dataset, unknown: Sequence[str]) -> None:
    unknown_shard = next((name for name in unknown if not dataset.is_of_other_shard(name)), None)
    if unknown_shard is not None:
        raise ConfigError(
            f"{dataset.home} holds {unknown_shard}, a shard that this output did not write",
            hint="use another folder, or remove the shards in it",
        )


def discard(dataset: Dataset, catalogue: Catalogue, shard: DatasetShard) -> None:
    """Delete a staged shard that is no longer needed from the catalogue, then remove its file."""
    catalogue.delete(shard)
    (dataset.staging / shard.name).unlink(missing_ok=True)
