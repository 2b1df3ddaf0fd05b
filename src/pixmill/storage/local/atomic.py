"""Write a file atomically, so that it survives a power failure.

The order makes it safe: first sync the content, then rename, then sync the directory that contains the name. Without the first
sync, a power failure leaves an empty file under the final name (seen on ext4); without the last, no file.

A file system commits all pending changes with each fsync. If several files are written before any is synced, and renamed
before any directory is synced, the first sync does most of the work and the others hardly any: so each of these is a phase.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import WriteError
from pixmill.core.operating_system import CLOSED_ON_EXEC, NO_FOLLOW
from pixmill.core.phases import Phases
from pixmill.core.text import printable
from pixmill.storage.entry import FileVersion
from pixmill.storage.local.directory_descriptors import Directories, Directory
from pixmill.storage.local.existing import Occupant
from pixmill.storage.local.file_times import suppressing_unsupported
from pixmill.storage.local.fsync import FsyncError, PendingDirectorySyncs, sync
from pixmill.storage.local.rename import name_exclusively
from pixmill.storage.storage import FREE_NAME, Replacing, no_op, occupied

_MAX_RENAME_ATTEMPTS = 10  # while other processes create and remove a file of that name
_MAX_OPEN_FILES = 16  # files that wait for others before they are synced: the size of a commit group, far below any system limit
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW | CLOSED_ON_EXEC


class WriteRequest(msgspec.Struct, frozen=True):
    """The bytes to write, whether they must survive a power failure, and a modification time to set.

    ``on_sync`` is called when only the sync remains. ``replacing`` says which existing files may be replaced.
    """

    data: bytes | memoryview
    durable: bool
    mtime_ns: int | None = None
    on_sync: Callable[[], None] = no_op
    replacing: Replacing = FREE_NAME


class AtomicWriter:
    """Writes files by way of temporaries with unique names. Threads may share it."""

    def __init__(self, directories: Directories, temporaries: Iterator[bytes]) -> None:
        """Write into ``directories``, with temporaries named by ``temporaries``."""
        self._directories = directories
        self._temporaries = temporaries
        self._syncs = PendingDirectorySyncs()
        self._open: set[int] = set()

    def write_phases(self, target: bytes, content: WriteRequest) -> Phases[FileVersion]:
        """Write ``content`` to the relative path ``target``, in phases, and return the version of the file.

        ``OSError`` or ``WriteError`` on failure, and then no temporary is left. After a failed fsync the file is written once
        more, from the start.
        """
        try:
            return (yield from self._write_once(target, content))
        except FsyncError:
            return (yield from self._write_once(target, content))

    def _write_once(self, target: bytes, content: WriteRequest) -> Phases[FileVersion]:
        folder, _, name = target.rpartition(b"/")
        self._directories.check_length(target)
        directory, changed = self._directories.open(folder)
        parent_syncs = list(map(self._syncs.of, changed))
        descriptor, temporary = self._create(directory)
        try:
            try:
                _fill(descriptor, content)
                if content.durable:
                    yield from self._yield_before_sync(descriptor)
                    content.on_sync()
                    sync(descriptor)
                version = FileVersion.of(os.fstat(descriptor))
            finally:
                os.close(descriptor)
            existing = _rename(directory, temporary, name, target, content)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory.descriptor)
            raise
        if content.durable:
            own_sync = self._syncs.of(directory)
            yield
            for directory_sync in (own_sync, *reversed(parent_syncs)):
                directory_sync.wait()
        return existing or version

    def _yield_before_sync(self, descriptor: int) -> Phases[None]:
        """End the phase here, so that others write before this file is synced; not if too many files are open already."""
        if len(self._open) < _MAX_OPEN_FILES:
            self._open.add(descriptor)
            try:
                yield
            finally:
                self._open.discard(descriptor)

    def _create(self, directory: Directory) -> tuple[int, bytes]:
        """Return the descriptor of a new temporary and its name."""
        for name in self._temporaries:
            # the name may be taken by another machine on the same file system, or by a dead process with the same number
            with suppress(FileExistsError):
                return os.open(name, _FLAGS, 0o666, dir_fd=directory.descriptor), name
        raise FileExistsError(directory)


def _rename(directory: Directory, temporary: bytes, name: bytes, target: bytes, content: WriteRequest) -> FileVersion | None:
    """Rename ``temporary`` to ``name``; if the same bytes are there, remove it and return their version.

    ``WriteError`` if something else is there that may not be replaced.
    """
    folder, replacing = directory.descriptor, content.replacing
    occupant = Occupant.of(name, folder=folder) if replacing.own else None
    for _ in range(_MAX_RENAME_ATTEMPTS):
        if occupant is None:
            with suppress(FileExistsError):
                name_exclusively(temporary, name, folder=folder)
                return None
            occupant = Occupant.of(name, folder=folder)
            if occupant is None:
                continue  # the file that had the name is gone again
        if occupant.identity == replacing.source():
            raise _is_source(target, occupant)
        is_own = occupant.is_one_of(replacing.own)
        if not is_own and occupant.contains(content.data, durable=content.durable):
            os.unlink(temporary, dir_fd=folder)
            return occupant.version
        if occupant.is_folder or not (is_own or _may_replace(occupant, directory, replacing)):
            break
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return None
    is_movable = occupant is None or not (occupant.is_folder or directory.is_behind_link_or_mount)
    raise occupied(target, occupant.version if occupant else FileVersion(0), own=replacing.own, replaceable=is_movable)


def _may_replace(occupant: Occupant, directory: Directory, replacing: Replacing) -> bool:
    """Tell whether ``occupant``, a foreign file, may be replaced; never behind a link or a mount: it may lead to a source."""
    if replacing.others and not directory.is_behind_link_or_mount:
        return True
    changed = occupant.status.st_ctime_ns
    return occupant.is_file and any(begin <= changed <= end for begin, end in replacing.unrecorded)


def _is_source(target: bytes, occupant: Occupant) -> WriteError:
    message = f"{printable(target)} in the destination is the source file of this image"
    hint = "pixmill never changes its inputs: choose another destination"
    return WriteError(message, code="exists", hint=hint, evidence=occupant.version.evidence())


def _fill(descriptor: int, content: WriteRequest) -> None:
    remainder = memoryview(content.data)
    while remainder:
        remainder = remainder[os.write(descriptor, remainder) :]
    if content.mtime_ns is not None:
        with suppressing_unsupported():
            os.utime(descriptor, ns=(content.mtime_ns, content.mtime_ns))
