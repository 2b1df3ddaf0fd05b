"""Shards take the place of others: what is decided is seen through, by whichever run, and what is left over is cleared away."""

from contextlib import suppress

from pixmill.batch.datasets.catalogue import Catalogue, Shard, Stage
from pixmill.batch.datasets.contents import place_of
from pixmill.batch.datasets.dataset import SAMPLES_INDEX, SHARDS_INDEX, Dataset
from pixmill.batch.datasets.whole import settle_folders
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable


def see_through(dataset: Dataset, catalogue: Catalogue) -> list[Shard]:
    """Do what the catalogue says is decided, which may have been done in part before; return the shards that are sealed by it.

    The indexes go first: while they are not there, the dataset is between two states.
    """
    changing = catalogue.changing()
    if not changing:
        return []
    for name in (SAMPLES_INDEX, SHARDS_INDEX):
        dataset.index(name).unlink(missing_ok=True)
    sealing = [shard for shard in changing if shard.stage is Stage.SEALING]
    for shard in sealing:
        with suppress(FileNotFoundError):  # it was renamed before a dead run came to say so
            (dataset.staging / shard.name).replace(dataset.folder / shard.name)
    taken = {shard.name for shard in sealing}
    for shard in changing:
        if shard.stage is Stage.LEAVING and shard.name not in taken:
            (dataset.folder / shard.name).unlink(missing_ok=True)
    settle_folders(dataset.folder, dataset.staging)
    catalogue.conclude()
    return sealing


def clear_away(dataset: Dataset, catalogue: Catalogue) -> None:
    """Forget what the catalogue says of files that are not what it says, and remove what a dead run left in the staging folder.

    ``ConfigError`` when the folder holds shards that the catalogue does not know: they would be written over.
    """
    shards = catalogue.shards()
    _refuse_strangers(dataset, {shard.name for shard in shards if shard.stage is Stage.SEALED})
    for shard in shards:
        if place_of(dataset, shard) is None and shard.stage is Stage.STAGED:
            discard(dataset, catalogue, shard)
        elif place_of(dataset, shard) is None:
            catalogue.void(shard)
    staged = {shard.name for shard in shards if shard.stage is Stage.STAGED}
    for path in dataset.staging.iterdir():
        if path.name not in staged:
            path.unlink()


def _refuse_strangers(dataset: Dataset, known: set[str]) -> None:
    strange = next((name for name in dataset.shard_files() if name not in known and not dataset.is_anothers(name)), None)
    if strange is not None:
        raise ConfigError(
            f"{printable(dataset.folder)} holds {strange}, which is none of the shards that this run knows of",
            hint="name another folder, or remove the shards that are there",
        )


def discard(dataset: Dataset, catalogue: Catalogue, shard: Shard) -> None:
    """Forget a staged shard that is not wanted any more, then remove its file."""
    catalogue.drop(shard)
    (dataset.staging / shard.name).unlink(missing_ok=True)
