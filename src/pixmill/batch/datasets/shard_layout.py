"""The layout of a dataset: the assignment of samples to shards. A pure function of the samples in their order."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from pixmill.batch.datasets.sample import Sample
from pixmill.batch.item import OutputRecord
from pixmill.imaging.traits.traits import Traits


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a shard: it ends before the sample that would make it exceed ``size`` bytes, or after ``samples`` samples."""

    size: int = 1_000_000_000
    samples: int = 10_000


class ShardPlan(msgspec.Struct, frozen=True):
    """A planned shard. In memory it takes the metadata of its samples, without their bytes."""

    number: int
    samples: tuple[Sample, ...]

    def fingerprint(self, packing: str) -> bytes:
        """Return 16 bytes that determine the content of this shard in ``packing``, a name with a version."""
        digest = blake2b(packing.encode(), digest_size=16)
        for sample in self.samples:
            members = [
                (each.name, each.size, each.width, each.height, each.format, each.rendition, each.digest, *_look(each))
                for each in sample.members
            ]
            digest.update(msgspec.msgpack.encode((sample.source, members, sample.columns)))
        return digest.digest()


def _look(member: OutputRecord) -> tuple[Traits, ...]:
    """Return the traits of ``member``; nothing if it has none, as in the fingerprints of earlier versions."""
    return (member.traits,) if member.traits else ()


def plan_shards(samples: Iterable[Sample], bounds: Bounds) -> Iterator[ShardPlan]:
    """Yield the shards of ``samples``, in order; a sample that is larger than a shard gets its own."""
    number, size = 0, 0
    pending: list[Sample] = []
    for sample in samples:
        if pending and (size + sample.size > bounds.size or len(pending) == bounds.samples):
            yield ShardPlan(number, tuple(pending))
            number, size, pending = number + 1, 0, []
        pending.append(sample)
        size += sample.size
    if pending:
        yield ShardPlan(number, tuple(pending))
