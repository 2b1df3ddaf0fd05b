"""The layout of a dataset: which samples make up which shard. A pure function of the samples in their order."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from pixmill.batch.datasets.sample import Sample


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shard ends: before the sample that would make it larger than ``size`` bytes, or after ``samples``."""

    size: int = 1_000_000_000
    samples: int = 10_000


class ShardPlan(msgspec.Struct, frozen=True):
    """A shard as it should be. Memory: what is known of its samples, without their bytes."""

    number: int
    samples: tuple[Sample, ...]

    def fingerprint(self, packing: str) -> bytes:
        """Return 16 bytes that decide the content of this shard in ``packing``, a name with a version."""
        digest = blake2b(packing.encode(), digest_size=16)
        for sample in self.samples:
            told = [
                (each.name, each.size, each.width, each.height, each.format, each.rendition, each.digest) for each in sample.members
            ]
            digest.update(msgspec.msgpack.encode((sample.source, told, sample.columns)))
        return digest.digest()


def plan_shards(samples: Iterable[Sample], bounds: Bounds) -> Iterator[ShardPlan]:
    """Yield the shards that ``samples`` make up, in order; a sample that is larger than a shard has one for itself."""
    number, size = 0, 0
    waiting: list[Sample] = []
    for sample in samples:
        if waiting and (size + sample.size > bounds.size or len(waiting) == bounds.samples):
            yield ShardPlan(number, tuple(waiting))
            number, size, waiting = number + 1, 0, []
        waiting.append(sample)
        size += sample.size
    if waiting:
        yield ShardPlan(number, tuple(waiting))
