"""Check whether recorded outputs still exist as written; in a store by listing folders, one request per thousand outputs.

An output that is missing or empty is made again. If its version differs from the record, its content decides: an equal one was
only copied or touched, and any other was changed by another program and stays as it is.
"""

import os
import stat
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from hashlib import blake2b, file_digest
from pathlib import Path

import msgspec

from pixmill.batch.item import OutputRecord, pack, unpack
from pixmill.core.errors import ReadError, RunError
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import Task
from pixmill.storage.address import Address
from pixmill.storage.entry import FileVersion
from pixmill.storage.local.mounts import keeps_inodes, mounts
from pixmill.storage.retry.outage import OutagePolicy
from pixmill.storage.retry.storage import open_with_retries
from pixmill.storage.storage import DIGEST_SIZE, FolderPart, Storage, content_digest

OUTPUT_CHANGED = "output-changed"  # the reason for skipping an image
MAX_WINDOWS = 4  # cached listings, however long: inputs come folder by folder, and so do their outputs
MAX_CACHED = 50_000  # entries in cached listings, if these are more than ``MAX_WINDOWS``
MAX_AGE = 60.0  # seconds; a watch runs for days
MAX_CONFIRMED = 1000  # records updated in one transaction
_NOT_A_FILE = FileVersion(-1)

#: called with a record whose outputs have their recorded content, and the same record with their versions of now
OnConfirmed = Callable[[Record, Record], None]


def discard(record: Record, updated: Record) -> None:
    """Do nothing with a confirmed record."""
    del record, updated


class OutputCheck(ABC):
    """Tells whether the outputs of a finished task are as recorded."""

    def __init__(self, on_confirmed: OnConfirmed, *, keeps_inodes: bool = False) -> None:
        """Read nothing yet. ``keeps_inodes``: whether inodes are worth recording."""
        self._on_confirmed = on_confirmed
        self._keeps_inodes = keeps_inodes

    def __call__(self, task: Task, record: Record) -> bool | str:  # noqa: ARG002  # the engine's signature
        """Return whether every output exists; ``OUTPUT_CHANGED`` if all do and one of them was changed by another program."""
        result = unpack(record.result)
        outputs, is_changed = [], False
        for output in result.outputs:
            version = self._version(output.name)
            if version is None or not version.size:
                return False
            if is_recorded(output, version):
                outputs.append(output)
            elif version.size == output.size and self._digest(output) == output.digest:
                outputs.append(output.with_version(version if self._keeps_inodes else msgspec.structs.replace(version, inode=0)))
            else:
                is_changed = True
        if is_changed:
            return OUTPUT_CHANGED
        if outputs != list(result.outputs):
            confirmed = msgspec.structs.replace(result, outputs=tuple(outputs))
            self._on_confirmed(record, msgspec.structs.replace(record, result=pack(confirmed)))
        return True

    @abstractmethod
    def _version(self, name: bytes) -> FileVersion | None:
        """Return the version of what is at ``name``; ``None`` if there is nothing."""

    @abstractmethod
    def _digest(self, output: OutputRecord) -> bytes | None:
        """Return the digest of what is at the name of ``output``; ``None`` if it cannot be read."""


def is_recorded(output: OutputRecord, version: FileVersion) -> bool:
    """Tell whether a file with ``version`` is ``output`` as it was written; earlier versions of pixmill recorded only its size."""
    return version.matches(output.version) or (version.size == output.size and not output.version.is_exact)


class _Window(msgspec.Struct, frozen=True):
    """The ``versions`` of the files in one ``part`` of ``folder``, which was listed at the time ``at``."""

    folder: bytes
    part: FolderPart
    versions: dict[bytes, FileVersion]
    at: float


class StoredVersions:
    """The versions of files in ``storage``, as listed within the last ``max_age`` seconds.

    A page is listed from the file on that is asked for, if the storage can do that, else the folder.
    Memory: ``MAX_CACHED`` names, or those in ``MAX_WINDOWS`` folders.
    """

    def __init__(self, storage: Storage, *, max_age: float = MAX_AGE, clock: Callable[[], float] = time.monotonic) -> None:
        """List nothing yet."""
        self._storage = storage
        self._max_age = max_age
        self._clock = clock
        self._windows: list[_Window] = []  # the last one used comes first

    def get(self, name: bytes) -> FileVersion | None:
        """Return the version of the file ``name``; ``None`` if there is none. ``ReadError`` if that cannot be told."""
        folder, now = name.rpartition(b"/")[0], self._clock()
        for index, window in enumerate(self._windows):
            is_here = window.part.spans_folders or window.folder == folder
            if is_here and now - window.at <= self._max_age and window.part.covers(name):
                if index:
                    self._windows.insert(0, self._windows.pop(index))
                break
        else:
            window = self._listed(folder, name, now)
            self._windows = [window, *self._windows]
            while len(self._windows) > MAX_WINDOWS and sum(len(each.versions) for each in self._windows) > MAX_CACHED:
                self._windows.pop()
        return window.versions.get(name)

    def _listed(self, folder: bytes, name: bytes, now: float) -> _Window:
        part = self._storage.list_from(name)
        if part is None:
            listings = self._storage.list(folder, descend=lambda _: False)
            part = FolderPart(next((listing for listing in listings if listing[0].path.rpartition(b"/")[0] == folder), []))
        versions = {entry.path: FileVersion(entry.size, etag=entry.version) for entry in part.entries}
        return _Window(folder, msgspec.structs.replace(part, entries=[]), versions, now)


class StoredOutputsExist(OutputCheck):
    """Checks the outputs in ``storage``."""

    def __init__(
        self,
        storage: Storage,
        *,
        on_confirmed: OnConfirmed = discard,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """List nothing yet."""
        super().__init__(on_confirmed)
        self._storage = storage
        self._versions = StoredVersions(storage, clock=clock)

    def _version(self, name: bytes) -> FileVersion | None:
        try:
            return self._versions.get(name)
        except ReadError as error:  # of a folder: nothing is known of any output in it
            raise RunError(error.message, code="not-readable", hint=error.hint) from None

    def _digest(self, output: OutputRecord) -> bytes | None:
        try:
            return content_digest(self._storage.read(output.name, limit=output.size))
        except ReadError:
            return None


def output_check(destination: Address, *, on_confirmed: OnConfirmed = discard, policy: OutagePolicy | None = None) -> OutputCheck:
    """Return the check of the outputs in ``destination``: the ledger alone is not proof. ``policy`` retries requests to a store."""
    if destination.local:
        return LocalOutputsExist(destination.local, on_confirmed=on_confirmed)
    return StoredOutputsExist(open_with_retries(destination, policy=policy or OutagePolicy()), on_confirmed=on_confirmed)


class LocalOutputsExist(OutputCheck):
    """Checks the files below ``destination``; the hot path of a re-run."""

    def __init__(self, destination: Path, *, on_confirmed: OnConfirmed = discard) -> None:
        """Read nothing yet."""
        super().__init__(on_confirmed, keeps_inodes=keeps_inodes(os.fsencode(os.path.realpath(destination)), mounts()))
        self._root = os.fsencode(destination) + b"/"

    def __call__(self, task: Task, record: Record) -> bool | str:
        """Return ``True`` if every output has its recorded version; otherwise look closer."""
        for output in unpack(record.result).outputs:
            try:
                status = os.stat(self._root + output.name)  # noqa: PTH116  # bytes, and the hot path of a re-run
            except OSError:
                return super().__call__(task, record)
            if (
                status.st_size != output.size
                or (status.st_mtime_ns != output.mtime_ns and output.mtime_ns)
                or (status.st_ino != output.inode and output.inode)
            ):
                return super().__call__(task, record)
        return True

    def _version(self, name: bytes) -> FileVersion | None:
        path = self._root + name
        try:
            status = os.stat(path)  # noqa: PTH116  # bytes
        except OSError:
            return _NOT_A_FILE if os.path.lexists(path) else None  # a link that leads nowhere
        return FileVersion.of(status) if stat.S_ISREG(status.st_mode) else _NOT_A_FILE

    def _digest(self, output: OutputRecord) -> bytes | None:
        try:
            with Path(os.fsdecode(self._root + output.name)).open("rb") as file:
                return file_digest(file, lambda: blake2b(digest_size=DIGEST_SIZE)).digest()
        except OSError:
            return None


class ConfirmedRecords:
    """Stores the records whose outputs were confirmed in ``ledger``, so that the next run need not read these outputs again."""

    def __init__(self, ledger: Ledger) -> None:
        """Start with none."""
        self._ledger = ledger
        self._records: dict[bytes, tuple[Record, Record]] = {}

    def add(self, record: Record, updated: Record) -> None:
        """Store ``updated`` in place of ``record``, with others in one transaction."""
        self._records[record.key] = (record, updated)
        if len(self._records) >= MAX_CONFIRMED:
            self.flush()

    def flush(self) -> None:
        """Store those added so far, except those whose record has changed meanwhile."""
        pairs, self._records = list(self._records.values()), {}
        current = self._ledger.get([record.key for record, _ in pairs])
        unchanged = [updated for (record, updated), now in zip(pairs, current, strict=True) if now == record]
        if unchanged:
            self._ledger.import_records(unchanged)
