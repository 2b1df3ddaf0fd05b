"""Write one shard to the staging folder: its samples come from parts and existing shards, and each is verified when read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, OutputLocation, Stage
from pixmill.batch.datasets.contents import Contents
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.sample import Sample
from pixmill.batch.datasets.shard_file import atomic_shard_file
from pixmill.batch.datasets.shard_layout import ShardPlan
from pixmill.batch.item import unpack
from pixmill.core.errors import ReadError
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import State


class StaleSamples(Exception):  # control flow, not an error
    """Samples that the ledger records as done are not available; ``sources`` are their keys.

    They are ``lost`` if their bytes are gone; otherwise a newer sample has taken their name and replaced them.
    """

    def __init__(self, sources: list[bytes], *, lost: bool) -> None:
        """Record the keys and the reason."""
        super().__init__()
        self.sources = sources
        self.lost = lost


class Staging:
    """Writes shards of ``dataset``. ``check`` is called before each sample and may raise to stop."""

    def __init__(
        self, dataset: Dataset, *, ledger: Ledger, catalogue: Catalogue, contents: Contents, check: Callable[[], None]
    ) -> None:
        """Write nothing yet."""
        self._dataset = dataset
        self._ledger = ledger
        self._catalogue = catalogue
        self._contents = contents
        self._check = check

    def write(self, plan: ShardPlan) -> tuple[DatasetShard, bool]:
        """Write ``plan`` and add it to the catalogue; return the shard, and whether it consists of parts only.

        ``StaleSamples`` if one of its samples is not available.
        """
        is_of_parts = self._check_sources(plan)
        name = self._dataset.shard_name(plan.number, plan.split)
        target = self._dataset.staging / name
        locations: list[tuple[bytes, OutputLocation]] = []
        with atomic_shard_file(target) as file, closing(self._dataset.packing_class.writer(file.as_file)) as writer:
            for sample in plan.samples:
                self._check()
                locations += _locations(sample, writer.add(sample, self._read(sample)))
        fingerprint = plan.fingerprint(self._dataset.identity)
        shard = DatasetShard(0, name, Stage.STAGED, fingerprint, file.size, len(plan.samples), file.digest)
        return self._catalogue.add(shard, locations), is_of_parts

    def _check_sources(self, plan: ShardPlan) -> bool:
        """Return whether all of ``plan`` is in parts; ``StaleSamples`` for samples that are missing or have lost their name."""
        lost: list[bytes] = []
        owners: dict[bytes, bytes] = {}
        is_of_parts = True
        for sample in plan.samples:
            self._check()
            for member in sample.members:
                claimants = {location.source for location in self._catalogue.locate(member.name)} | {
                    owners.get(member.name, sample.source)
                }
                self._resolve_name_conflict(member.name, sample.source, claimants - {sample.source})
                owners[member.name] = sample.source
                if self._contents.locate(member) is not None:
                    is_of_parts = False
                elif not self._contents.has_part(member):
                    lost.append(sample.source)
        if lost:
            raise StaleSamples(lost, lost=True)
        return is_of_parts

    def _resolve_name_conflict(self, name: bytes, source: bytes, claimants: set[bytes]) -> None:
        """Give ``name`` to the newest claimant: the source of an older one is gone, and its output was overwritten."""
        records = self._ledger.get([source, *claimants]) if claimants else []
        claims = [
            each for each in records if each and each.state is State.DONE and name in {o.name for o in unpack(each.result).outputs}
        ]
        claims.sort(key=lambda record: record.finished_at)
        if len(claims) > 1:
            raise StaleSamples([record.key for record in claims[:-1]], lost=False)

    def _read(self, sample: Sample) -> list[bytes]:
        try:
            return [self._contents.read_output(member) for member in sample.members]
        except ReadError as error:
            if error.retryable:
                raise
            raise StaleSamples([sample.source], lost=True) from error


def _locations(sample: Sample, positions: Sequence[int]) -> Iterator[tuple[bytes, OutputLocation]]:
    for member, position in zip(sample.members, positions, strict=True):
        yield member.name, OutputLocation(0, sample.source, position, member.size, member.digest)
