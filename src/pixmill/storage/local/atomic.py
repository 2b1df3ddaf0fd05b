"""Write a file whole or not at all, so that it is still there after a power cut.

The order is what makes it safe: content to disk, then the name, then the directory that holds the name. A rename without
the first leaves an empty file under the final name after a power cut (seen on ext4); without the last, no file.

A file system commits whatever is ready with each fsync. Of several files that are written before any is synced, and renamed
before any directory is, the first sync has most of the work and the others hardly any: so each of these is a step.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from pixmill.core.errors import WriteError
from pixmill.core.phases import Phases
from pixmill.core.text import printable
from pixmill.storage.local.directory_descriptors import Directories, Directory
from pixmill.storage.local.existing import Occupant
from pixmill.storage.local.fsync import FsyncError, PendingDirectorySyncs, sync
from pixmill.storage.local.rename import name_exclusively
from pixmill.storage.storage import FREE_NAME, Replacing, no_op, occupied

_TRIES = 10  # to name a file while others make and remove one of that name
_MOST_OPEN = 16  # files that wait for others to be synced: as many as are settled together, and far from any limit
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class WriteRequest(msgspec.Struct, frozen=True):
    """What to write: the bytes, whether they must survive a power cut, and a modification time to set.

    ``syncing`` is called when only the disk is waited for. ``replacing`` is what may be replaced.
    """

    data: bytes
    durable: bool
    mtime_ns: int | None = None
    on_sync: Callable[[], None] = no_op
    replacing: Replacing = FREE_NAME


class AtomicWriter:
    """Writes files with names of its own for the unfinished ones. Threads may share it."""

    def __init__(self, directories: Directories, temporaries: Iterator[bytes]) -> None:
        """Write into ``directories``, and take the names of unfinished files from ``temporaries``."""
        self._directories = directories
        self._temporaries = temporaries
        self._syncs = PendingDirectorySyncs()
        self._open: set[int] = set()

    def write_phases(self, target: bytes, content: WriteRequest) -> Phases:
        """Put ``content`` under the relative path ``target``, in steps.

        ``OSError`` or ``WriteError`` when it could not be done, and then no temporary is left. After a failed fsync everything
        is written once more, from the start.
        """
        try:
            yield from self._steps(target, content)
        except FsyncError:
            yield from self._steps(target, content)

    def _steps(self, target: bytes, content: WriteRequest) -> Phases:
        folder, _, name = target.rpartition(b"/")
        self._directories.check_length(target)
        directory, changed = self._directories.open(folder)
        flushes = list(map(self._syncs.of, changed))
        descriptor, temporary = self._create(directory)
        try:
            try:
                _fill(descriptor, content)
                if content.durable:
                    yield from self._yield_before_sync(descriptor)
                    content.on_sync()
                    sync(descriptor)
            finally:
                os.close(descriptor)
            _give_name(directory, temporary, name, target, content)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=directory.descriptor)
            raise
        if content.durable:
            last = self._syncs.of(directory)
            yield
            for flush in (last, *reversed(flushes)):
                flush.wait()

    def _yield_before_sync(self, descriptor: int) -> Phases:
        """End the step here, so that others write before this is synced; not where too many files are open for that."""
        if len(self._open) < _MOST_OPEN:
            self._open.add(descriptor)
            try:
                yield
            finally:
                self._open.discard(descriptor)

    def _create(self, directory: Directory) -> tuple[int, bytes]:
        """Return a new file and its name."""
        for name in self._temporaries:
            # taken by another machine on the same file system, or by a dead process of the same number
            with suppress(FileExistsError):
                return os.open(name, _FLAGS, 0o666, dir_fd=directory.descriptor), name
        raise FileExistsError(directory)


def _give_name(directory: Directory, temporary: bytes, name: bytes, target: bytes, content: WriteRequest) -> None:
    """Rename ``temporary`` to ``name``, or drop it where its very bytes are there; ``WriteError`` where it may not be replaced."""
    folder, replacing = directory.descriptor, content.replacing
    for _ in range(_TRIES):
        if not replacing.own:
            with suppress(FileExistsError):
                name_exclusively(temporary, name, folder=folder)
                return
        occupant = Occupant.of(name, folder=folder)
        if occupant is not None:
            if occupant.identity == replacing.source():
                raise _is_source(target)
            if not replacing.own and occupant.holds(content.data, durable=content.durable):
                os.unlink(temporary, dir_fd=folder)
                return
            if occupant.is_folder or not _may_replace(occupant, directory, replacing):
                raise occupied(target)
        elif not replacing.own:
            continue  # what had the name is gone again
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    raise occupied(target)


def _may_replace(occupant: Occupant, directory: Directory, replacing: Replacing) -> bool:
    """Tell whether ``occupant`` may be replaced. Behind a link or a mount only what is our own: it may lead to a source."""
    if replacing.own or (replacing.others and not directory.is_elsewhere):
        return True
    changed = occupant.status.st_ctime_ns
    return occupant.is_file and any(begin <= changed <= end for begin, end in replacing.unrecorded)


def _is_source(target: bytes) -> WriteError:
    message = f"{printable(target)} in the destination is the very file that the image is read from"
    return WriteError(message, code="exists", hint="inputs are never changed: choose another destination")


def _fill(descriptor: int, content: WriteRequest) -> None:
    rest = memoryview(content.data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if content.mtime_ns is not None:
        os.utime(descriptor, ns=(content.mtime_ns, content.mtime_ns))
