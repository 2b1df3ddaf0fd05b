"""What happens to a dataset, besides what happens in every run."""

from pixmill.core.events import Event


class ShardSealed(Event, frozen=True, kw_only=True, tag="shard_sealed"):
    """A shard has its final name: ``name`` in DST, with so many ``samples`` and ``bytes``."""

    name: str
    samples: int
    bytes: int
