"""Write one shard to the staging folder: its samples from parts and from shards that are there, each read back and compared."""

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
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import State


class StaleSamples(Exception):  # an answer, not an error
    """Samples that the ledger holds as done are not to be had; ``sources`` are their keys.

    They are ``lost`` when their bytes are gone; else their name is that of a younger sample, and they are no more.
    """

    def __init__(self, sources: list[bytes], *, lost: bool) -> None:
        """Say which."""
        super().__init__()
        self.sources = sources
        self.lost = lost


class Staging:
    """Writes shards of ``dataset``. ``check`` is called before each sample, and may raise to stop."""

    def __init__(
        self, dataset: Dataset, *, ledger: Ledger, catalogue: Catalogue, contents: Contents, check: Callable[[], None]
    ) -> None:
        """Write nothing yet."""
        self._dataset = dataset
        self._ledger = ledger
        self._catalogue = catalogue
        self._contents = contents
        self._check = check

    def write(self, draft: ShardPlan) -> tuple[DatasetShard, bool]:
        """Write ``draft`` and add it to the catalogue; return it, and whether it is made of parts alone.

        ``Outdated`` when a sample of it cannot be had.
        """
        is_of_parts = self._look_for(draft)
        name = self._dataset.shard_name(draft.number)
        target = self._dataset.staging / name
        spots: list[tuple[bytes, OutputLocation]] = []
        with atomic_shard_file(target) as sink, closing(self._dataset.packs.writer(sink.as_file)) as writer:
            for sample in draft.samples:
                self._check()
                spots += _spots(sample, writer.add(sample, self._read(sample)))
        fingerprint = draft.fingerprint(self._dataset.identity)
        shard = DatasetShard(0, name, Stage.STAGED, fingerprint, sink.size, len(draft.samples), sink.digest)
        return self._catalogue.add(shard, spots), is_of_parts

    def _look_for(self, draft: ShardPlan) -> bool:
        """Tell whether all of ``draft`` is in parts; ``Outdated`` for what is nowhere, and for what has lost its name."""
        lost: list[bytes] = []
        owners: dict[bytes, bytes] = {}
        is_of_parts = True
        for sample in draft.samples:
            self._check()
            for member in sample.members:
                rivals = {spot.source for spot in self._catalogue.find(member.name)} | {owners.get(member.name, sample.source)}
                self._resolve_name_conflict(member.name, sample.source, rivals - {sample.source})
                owners[member.name] = sample.source
                if self._contents.locate(member) is not None:
                    is_of_parts = False
                elif not self._contents.has_part(member):
                    lost.append(sample.source)
        if lost:
            raise StaleSamples(lost, lost=True)
        return is_of_parts

    def _resolve_name_conflict(self, name: bytes, source: bytes, rivals: set[bytes]) -> None:
        """Let the youngest have ``name``: a source that has gone left it to another, and its output was written over."""
        known = self._ledger.get([source, *rivals]) if rivals else []
        claims = [
            each for each in known if each and each.state is State.DONE and name in {o.name for o in unpack(each.result).outputs}
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


def _has(record: Record, name: bytes) -> bool:
    return record.state is State.DONE and any(output.name == name for output in unpack(record.result).outputs)


def _spots(sample: Sample, positions: Sequence[int]) -> Iterator[tuple[bytes, OutputLocation]]:
    for member, position in zip(sample.members, positions, strict=True):
        yield member.name, OutputLocation(0, sample.source, position, member.size, member.digest)
