"""Events of a dataset, in addition to those of every run."""

from pixmill.core.events import Event


class ShardSealed(Event, frozen=True, kw_only=True, tag="shard_sealed"):
    """A shard has received its final name: ``name`` in DST, with its number of ``samples`` and ``bytes``."""

    name: str
    samples: int
    bytes: int
