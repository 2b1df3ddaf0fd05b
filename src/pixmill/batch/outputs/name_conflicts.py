"""Count the output names of a run that are taken by files pixmill did not write, before anything is written."""

import errno
import math
import os
import stat
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol

import msgspec

from pixmill.batch.item import Item, OutputRecord
from pixmill.batch.outputs.reuse import recorded_outputs
from pixmill.batch.state.outputs import StoredVersions
from pixmill.batch.state.unrecorded import Span
from pixmill.core.errors import ReadError
from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.ledger import Record
from pixmill.storage.address import Address
from pixmill.storage.entry import FileVersion
from pixmill.storage.open import open_storage
from pixmill.storage.storage import Storage, content_digest

MAX_CHECKED = 1000  # images checked before a run
#: what happens to an image whose output name is taken, by the value of ``--existing``
CONSEQUENCES = {
    "fail": "such images fail, unless the file is identical (see --existing replace, skip, adopt and refuse)",
    "replace": "the file is replaced",
    "skip": "such images are skipped",
    "refuse": "the run is refused",
    "adopt": "a complete file of the expected format and size becomes the output, and other such images fail",
}
_MAX_CACHED = 64  # folders


class NameConflicts(msgspec.Struct, kw_only=True):
    """How many images have an output name that is taken (``occupied``) or lies behind a symbolic link (``linked``).

    ``example`` is the first such name, ``link`` the first link, ``checked`` the number of images checked.
    """

    checked: int = 0
    occupied: int = 0
    linked: int = 0
    example: bytes = b""
    link: bytes = b""


class ExistingNames(Protocol):
    """The existing names in a destination."""

    def is_taken(self, name: bytes, *, except_written_in: Sequence[Span] = ()) -> bool:
        """Tell whether ``name`` exists, other than as a file that changed within one of the spans ``except_written_in``."""

    def version_of(self, name: bytes) -> FileVersion | None:
        """Return the version of what is at ``name``; ``None`` if there is nothing."""

    def link_to(self, name: bytes) -> bytes:
        """Return the first symbolic link in the path of ``name``, relative to the destination; empty if there is none."""


class ConflictCounter:
    """Counts in ``conflicts`` the images of a run whose output names are taken. With ``follow_links``, links do not count."""

    def __init__(self, destination: Address, *, follow_links: bool, unrecorded: Sequence[Span] = ()) -> None:
        """Store the parameters. The ledger has the names that pixmill wrote, except those written in ``unrecorded`` spans."""
        self._unrecorded = unrecorded
        self.conflicts = NameConflicts()
        self._follow_links = follow_links
        self._storage = open_storage(destination)
        self._names: ExistingNames = _Folder(destination.location) if destination.local else _Store(self._storage)

    def count(self, item: Item, record: Record | None, *, is_done: bool = False) -> None:
        """Count ``item``, whose record in the ledger is ``record``; if it ``is_done``, none of its outputs will be replaced."""
        conflicts = self.conflicts
        conflicts.checked += 1
        link = b"" if self._follow_links else next(filter(None, map(self._names.link_to, item.names)), b"")
        if link:
            conflicts.linked += 1
            conflicts.link = conflicts.link or link
            return
        own = {output.name: output for output in recorded_outputs(record)}
        spans = self._unrecorded if record else ()
        names = (name for name in item.names if not (is_done and name in own))
        name = next((name for name in names if self._is_foreign(name, own.get(name), spans)), b"")
        if name:
            conflicts.occupied += 1
            conflicts.example = conflicts.example or name

    def _is_foreign(self, name: bytes, own: OutputRecord | None, spans: Sequence[Span]) -> bool:
        """Tell whether another program wrote what is at ``name``, where pixmill wrote ``own``."""
        if own is None:
            return self._names.is_taken(name, except_written_in=spans)
        version = self._names.version_of(name) if own.version.is_exact else None
        if version is None or not version.size or version.matches(own.version):
            return False
        return self._names.is_taken(name, except_written_in=spans) and not self._has_content(own, version)

    def _has_content(self, own: OutputRecord, version: FileVersion) -> bool:
        try:
            return version.size == own.size and content_digest(self._storage.read(own.name, limit=own.size)) == own.digest
        except ReadError:
            return False


def conflict_warnings(conflicts: NameConflicts, existing: str, *, is_all: bool) -> Iterator[str]:
    """Yield a warning for each kind of conflict; ``is_all`` tells whether all images were checked, or only the first."""
    among = "" if is_all else f" of the first {conflicts.checked:,}"
    if conflicts.occupied:
        yield (
            f"{plural(conflicts.occupied, 'image')}{among} would overwrite a file that pixmill did not write, "
            f"or that was changed since ({printable(conflicts.example)}): {CONSEQUENCES[existing]}"
        )
    if conflicts.linked:
        yield (
            f"{plural(conflicts.linked, 'image')}{among} would be written through the symbolic link {printable(conflicts.link)} "
            "in the destination: such images fail (--follow-output-links writes through links)"
        )


class _Folder(ExistingNames):
    """A local folder."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._first_link = lru_cache(_MAX_CACHED)(self._find_link)

    def is_taken(self, name: bytes, *, except_written_in: Sequence[Span] = ()) -> bool:
        try:
            status = os.lstat(os.path.join(self._root, name))  # noqa: PTH118  # bytes
        except OSError as error:
            return error.errno not in (errno.ENOENT, errno.ENAMETOOLONG)
        is_own = stat.S_ISREG(status.st_mode) and any(begin <= status.st_ctime_ns <= end for begin, end in except_written_in)
        return not is_own

    def version_of(self, name: bytes) -> FileVersion | None:
        try:
            return FileVersion.of(os.lstat(os.path.join(self._root, name)))  # noqa: PTH118  # bytes
        except OSError:
            return None

    def link_to(self, name: bytes) -> bytes:
        return self._first_link(name.rpartition(b"/")[0])

    def _find_link(self, folder: bytes) -> bytes:
        parts = folder.split(b"/") if folder else []
        ancestors = (b"/".join(parts[:length]) for length in range(1, len(parts) + 1))
        return next(filter(self._is_link, ancestors), b"")

    def _is_link(self, path: bytes) -> bool:
        try:
            return stat.S_ISLNK(os.lstat(os.path.join(self._root, path)).st_mode)  # noqa: PTH118  # bytes
        except OSError:
            return False


class _Store(ExistingNames):
    """A bucket."""

    def __init__(self, storage: Storage) -> None:
        self._versions = StoredVersions(storage, max_age=math.inf)

    def is_taken(self, name: bytes, *, except_written_in: Sequence[Span] = ()) -> bool:
        del except_written_in  # the clock of a store may differ
        return self.version_of(name) is not None

    def version_of(self, name: bytes) -> FileVersion | None:
        return self._versions.get(name)

    def link_to(self, name: bytes) -> bytes:
        del name
        return b""
