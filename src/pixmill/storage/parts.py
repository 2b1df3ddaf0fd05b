"""Parts of a large directory: sorted by group on disk, each part with whole groups."""

from collections.abc import Iterable, Iterator

import msgspec

from pixmill.core.external_sort import Record
from pixmill.storage.entry import Entry, Listing

PART = 1000  # entries
_SEPARATOR = b"\0\0"
_decode = msgspec.msgpack.Decoder(Entry).decode


def group_key(group: bytes, name: bytes) -> bytes:
    """Return a key that sorts entries by ``group``, then by ``name``."""
    return group + _SEPARATOR + name


def in_parts(records: Iterable[Record]) -> Iterator[Listing]:
    """Yield the entries of ``records``, sorted by ``group_key``, in lists of ``PART``, or more so that groups stay together.

    Of several records with one key only the first counts.
    """
    part: Listing = []
    last = last_key = b""
    for key, content in records:
        if key == last_key:
            continue
        group = key.partition(_SEPARATOR)[0]
        if len(part) >= PART and group != last:
            yield part
            part = []
        part.append(_decode(content))
        last, last_key = group, key
    if part:
        yield part
