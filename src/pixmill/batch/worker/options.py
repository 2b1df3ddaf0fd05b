"""``Assignment``: what a worker needs to know besides its tasks. Light, for the coordinator writes it and never does it."""

from typing import Any

import msgspec


class HandlerOptions(msgspec.Struct, frozen=True):
    """What all tasks of a run have in common. ``source`` and ``destination`` are URLs, plain ASCII whatever the paths.

    ``tag`` marks this run's temporaries; ``recipe`` is plain data.
    ``fingerprints`` are those of its renditions, one each: what decides the bytes of their outputs besides the source.
    ``existing`` and ``follow_output_links`` are the options of these names; ``unrecorded`` are spans of time, in nanoseconds since
    the epoch, in which runs wrote outputs that they may not have noted.
    """

    source: str
    destination: str
    tag: str
    recipe: dict[str, Any]
    max_bytes: int
    durable: bool
    keep_mtime: bool
    follow_symlinks: bool
    fingerprints: tuple[bytes, ...]
    existing: str = "fail"
    follow_output_links: bool = False
    unrecorded: tuple[tuple[int, int], ...] = ()
