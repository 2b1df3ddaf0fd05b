"""Names that a run wants and files of others have, counted before anything is written."""

import errno
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

import msgspec

from pixmill.batch.item import Item
from pixmill.batch.outputs.reuse import of_others, on_record
from pixmill.batch.state.unrecorded import Span
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.ledger import Ledger, Record
from pixmill.storage.address import Address
from pixmill.storage.open import open_storage
from pixmill.storage.storage import Storage

MAX_CHECKED = 1000  # images that a run looks at before it begins
#: what becomes of an image whose name is another's, by the value of ``--existing``
CONSEQUENCES = {
    "fail": "such an image fails, unless the file is identical (--existing replace, skip or refuse for another way)",
    "replace": "the file is replaced",
    "skip": "such an image is skipped",
    "refuse": "the run is refused",
}
_MAX_CACHED = 64  # folders


class NameConflicts(msgspec.Struct, kw_only=True):
    """How many images want a name that is another's (``occupied``), or lies behind a symbolic link (``linked``).

    ``example`` is the first such name, ``link`` the first link; ``looked_at`` is how many images were asked about.
    """

    looked_at: int = 0
    occupied: int = 0
    linked: int = 0
    example: bytes = b""
    link: bytes = b""


class ExistingNames(Protocol):
    """What is known of the names in a destination."""

    def is_taken(self, name: bytes, *, but_within: Sequence[Span] = ()) -> bool:
        """Tell whether anything is at ``name``, other than a file that came there in one of the spans ``but_within``."""

    def link_to(self, name: bytes) -> bytes:
        """Return the symbolic link on the way to ``name``, relative to the destination; empty where there is none."""


class ConflictCounter:
    """Counts in ``taken`` which images of a run want a name of another's. With ``follow_links`` links do not matter."""

    def __init__(self, destination: Address, ledger: Ledger, *, follow_links: bool, unrecorded: Sequence[Span] = ()) -> None:
        """Look at nothing yet. ``ledger`` knows which names are pixmill's own, but for what came there in ``unrecorded`` spans."""
        self._unrecorded = unrecorded
        self._ledger = ledger
        self.conflicts = NameConflicts()
        self._follow_links = follow_links
        self._names: ExistingNames = _Folder(destination.location) if destination.local else _Store(open_storage(destination))

    def count(self, item: Item, record: Record | None) -> None:
        """Count ``item``, of which ``record`` is what the ledger holds."""
        taken = self.conflicts
        taken.looked_at += 1
        link = b"" if self._follow_links else next(filter(None, map(self._names.link_to, item.names)), b"")
        if link:
            taken.linked += 1
            taken.link = taken.link or link
            return
        known = on_record(record)
        own = {output.name for output in (*known, *of_others(self._ledger, item, known, is_taken=self._names.is_taken))}
        spans = self._unrecorded if record else ()
        name = next((name for name in item.names if name not in own and self._names.is_taken(name, but_within=spans)), b"")
        if name:
            taken.occupied += 1
            taken.example = taken.example or name


def conflict_warnings(taken: NameConflicts, existing: str, *, is_all: bool) -> Iterator[str]:
    """Yield what there is to say about ``taken``, which ``is_all`` there is or only of the first images."""
    among = "" if is_all else f" of the first {taken.looked_at:,}"
    if taken.occupied:
        yield (
            f"{plural(taken.occupied, 'image')}{among} would overwrite a file that pixmill did not write "
            f"({printable(taken.example)}): {CONSEQUENCES[existing]}"
        )
    if taken.linked:
        yield (
            f"{plural(taken.linked, 'image')}{among} would be written through the symbolic link {printable(taken.link)} in the "
            "destination: such an image fails (--follow-output-links writes through links)"
        )


class _Folder(ExistingNames):
    """A folder of this machine."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._link_on_the_way = lru_cache(_MAX_CACHED)(self._find_link)

    def is_taken(self, name: bytes, *, but_within: Sequence[Span] = ()) -> bool:
        try:
            status = os.lstat(os.path.join(self._root, name))  # noqa: PTH118  # bytes
        except OSError as error:
            return error.errno not in (errno.ENOENT, errno.ENAMETOOLONG)
        is_left = stat.S_ISREG(status.st_mode) and any(begin <= status.st_ctime_ns <= end for begin, end in but_within)
        return not is_left

    def link_to(self, name: bytes) -> bytes:
        return self._link_on_the_way(name.rpartition(b"/")[0])

    def _find_link(self, folder: bytes) -> bytes:
        parts = folder.split(b"/") if folder else []
        ways = (b"/".join(parts[:length]) for length in range(1, len(parts) + 1))
        return next(filter(self._is_link, ways), b"")

    def _is_link(self, path: bytes) -> bool:
        try:
            return stat.S_ISLNK(os.lstat(os.path.join(self._root, path)).st_mode)  # noqa: PTH118  # bytes
        except OSError:
            return False


class _Store(ExistingNames):
    """A bucket: each folder is listed once, where many of its names are asked for."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._names_in = lru_cache(1)(self._list)

    def is_taken(self, name: bytes, *, but_within: Sequence[Span] = ()) -> bool:
        del but_within  # a store has another clock
        return name in self._names_in(name.rpartition(b"/")[0])

    def link_to(self, name: bytes) -> bytes:
        del name
        return b""

    def _list(self, folder: bytes) -> Collection[bytes]:
        return {entry.path for listing in self._storage.list(folder, descend=lambda _: False) for entry in listing}
