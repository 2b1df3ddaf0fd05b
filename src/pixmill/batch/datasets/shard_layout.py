"""The layout of a dataset: the assignment of samples to shards. A pure function of the samples in their order."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from pixmill.batch.config.shard import Splits
from pixmill.batch.datasets.sample import Sample
from pixmill.batch.item import OutputRecord
from pixmill.core.external_sort import ExternalSort
from pixmill.imaging.traits.traits import Traits

NO_SPLITS = Splits()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a shard: it ends before the sample that would make it exceed ``size`` bytes, or after ``samples`` samples."""

    size: int = 1_000_000_000
    samples: int = 10_000


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How samples become shards.

    ``caption`` is the column with their captions, ``splits`` the parts with shards of their own, ``seed`` that of their order;
    without one they are in the order of the ledger.
    """

    bounds: Bounds = Bounds()
    caption: str | None = None
    splits: Splits = NO_SPLITS
    seed: int | None = None


class ShardPlan(msgspec.Struct, frozen=True):
    """A planned shard. In memory it takes the metadata of its samples, without their bytes. ``split`` is empty without splits."""

    number: int
    samples: tuple[Sample, ...]
    split: str = ""

    def fingerprint(self, packing: str) -> bytes:
        """Return 16 bytes that determine the content of this shard in ``packing``, a name with a version."""
        digest = blake2b(packing.encode(), digest_size=16)
        for sample in self.samples:
            members = [
                (each.name, each.size, each.width, each.height, each.format, each.rendition, each.digest, *_look(each))
                for each in sample.members
            ]
            digest.update(msgspec.msgpack.encode((sample.source, members, sample.columns, *_additions(sample))))
        return digest.digest()


def _look(member: OutputRecord) -> tuple[Traits, ...]:
    """Return the traits of ``member``; nothing if it has none, as in the fingerprints of earlier versions."""
    return (member.traits,) if member.traits else ()


def _additions(sample: Sample) -> tuple[object, ...]:
    """Return what samples of earlier versions do not have; nothing for these, as in the fingerprints of these versions."""
    return (sample.caption, sample.original) if sample.caption is not None or sample.original is not None else ()


def shard_plans(samples: Iterable[Sample], layout: Layout) -> Iterator[ShardPlan]:
    """Yield the shards of ``samples`` by ``layout``. Memory: a shard of each split, and with a seed that of an ``ExternalSort``."""
    return plan_shards(_shuffled(samples, layout.seed), layout.bounds, layout.splits)


def plan_shards(samples: Iterable[Sample], bounds: Bounds, splits: Splits = NO_SPLITS) -> Iterator[ShardPlan]:
    """Yield the shards of ``samples``, in order; a sample that is larger than a shard gets its own."""
    open_shards: dict[str, _OpenShard] = {}
    for sample in samples:
        split = splits.of(sample.key)
        shard = open_shards.setdefault(split, _OpenShard(split))
        if shard.samples and (shard.size + sample.size > bounds.size or len(shard.samples) == bounds.samples):
            yield shard.end()
        shard.samples.append(sample)
        shard.size += sample.size
    yield from (shard.end() for shard in open_shards.values() if shard.samples)


class _OpenShard(msgspec.Struct):
    """A shard of a split that is not full yet."""

    split: str
    number: int = 0
    size: int = 0
    samples: list[Sample] = []

    def end(self) -> ShardPlan:
        """Return the shard, and begin the next one."""
        plan = ShardPlan(self.number, tuple(self.samples), self.split)
        self.number, self.size, self.samples = self.number + 1, 0, []
        return plan


def _shuffled(samples: Iterable[Sample], seed: int | None) -> Iterable[Sample]:
    """Return ``samples`` in the order of a hash of ``seed`` and their keys."""
    if seed is None:
        return samples
    secret = str(seed).encode()
    records = ((blake2b(each.key, digest_size=16, key=secret).digest(), msgspec.msgpack.encode(each)) for each in samples)
    decode = msgspec.msgpack.Decoder(Sample).decode
    return (decode(content) for _, content in ExternalSort(records))
