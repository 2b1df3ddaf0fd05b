"""``HandlerOptions``: the options of the handler in a worker. Imports little, since the coordinator only encodes them."""

from typing import Any

import msgspec

NEWER = "newer-than-listed"  # the note on an object that has changed since it was listed
READ_AHEAD = 8  # images of the web that a worker reads at the same time
MAX_AHEAD_BYTES = 8_000_000  # of one of them; a larger one is read when it is its turn


class HandlerOptions(msgspec.Struct, frozen=True):
    """The options shared by all tasks of a run. ``source`` and ``destination`` are URLs in ASCII, whatever the paths.

    ``tag`` is part of the names of this run's temporary files; ``recipe`` is plain data. ``fingerprints`` are those of the
    renditions, one each: of everything besides the source that determines their outputs. ``existing`` and ``follow_output_links``
    are the options of these names. ``unrecorded`` are time spans, in nanoseconds since the epoch, in which runs wrote outputs
    that may be missing from the ledger. ``is_conditional``: the destination honours conditional requests.
    ``keeps_inodes``: its files keep their inodes, so that these are worth recording. ``toolset`` is the number of the present
    libraries in the ledger. ``former_fingerprints`` are other fingerprints that earlier versions gave the same renditions.
    ``checksum`` compares sources by content, ``has_change_times`` those whose files have another change time.
    ``with_traits``: record the traits of outputs. ``timeout``: the seconds that one request to a web server may take; 0: no limit.
    ``is_dated`` is that of the source.
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
    is_conditional: bool = True
    keeps_inodes: bool = True
    toolset: int = 0
    former_fingerprints: tuple[tuple[bytes, ...], ...] = ()
    checksum: bool = False
    has_change_times: bool = True
    with_traits: bool = False
    timeout: float = 0.0
    is_dated: bool = False
