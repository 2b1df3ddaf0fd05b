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

from pixmill.core.steps import Steps
from pixmill.storage.local.syncing import Flush, Flushes, NotSynced, sync
from pixmill.storage.storage import unheard

_MOST_OPEN = 16  # files that wait for others to be synced: as many as are settled together, and far from any limit
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Content(msgspec.Struct, frozen=True):
    """What to write: the bytes, whether they must survive a power cut, and a modification time to set.

    ``syncing`` is called when only the disk is waited for.
    """

    data: bytes
    durable: bool
    mtime_ns: int | None = None
    syncing: Callable[[], None] = unheard


class Writer:
    """Writes files with names of its own for the unfinished ones. Threads may share it."""

    def __init__(self, temporaries: Iterator[bytes]) -> None:
        """Take the names of unfinished files from ``temporaries``."""
        self._temporaries = temporaries
        self._flushes = Flushes()
        self._open: set[int] = set()

    def writing(self, target: bytes, content: Content) -> Steps:
        """Put ``content`` under ``target``, in steps; ``OSError`` when it could not be done, and then no temporary is left.

        After a failed fsync everything is written once more, from the start.
        """
        try:
            yield from self._steps(target, content)
        except NotSynced:
            yield from self._steps(target, content)

    def _steps(self, target: bytes, content: Content) -> Steps:
        directory = os.path.dirname(target)
        descriptor, temporary, changed = self._create(directory)
        try:
            try:
                _fill(descriptor, content)
                if content.durable:
                    yield from self._when_others_are_ready(descriptor)
                    content.syncing()
                    sync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if content.durable:
            flushes = [self._flushes.of(directory), *changed]
            yield
            for flush in flushes:
                flush.wait()

    def _when_others_are_ready(self, descriptor: int) -> Steps:
        """End the step here, so that others write before this is synced; not where too many files are open for that."""
        if len(self._open) < _MOST_OPEN:
            self._open.add(descriptor)
            try:
                yield
            finally:
                self._open.discard(descriptor)

    def _create(self, directory: bytes) -> tuple[int, bytes, list[Flush]]:
        """Return a new file, its name, and the flushes that the directories need which had to be made for it."""
        changed: list[Flush] = []
        for name in self._temporaries:
            temporary = os.path.join(directory, name)
            try:
                return os.open(temporary, _FLAGS, 0o666), temporary, changed
            except FileExistsError:
                continue  # another machine on the same file system, or a dead process of the same number
            except FileNotFoundError:
                changed += map(self._flushes.of, _make(directory))
                return os.open(temporary, _FLAGS, 0o666), temporary, changed
        raise FileExistsError(directory)


def _make(directory: bytes) -> list[bytes]:
    """Make ``directory`` and its parents; return those whose content changed: the parents of all that were made."""
    missing = []
    while not os.path.isdir(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    for path in reversed(missing):
        with suppress(FileExistsError):  # another worker was faster
            os.mkdir(path)
    return [os.path.dirname(path) for path in missing]


def _fill(descriptor: int, content: Content) -> None:
    rest = memoryview(content.data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if content.mtime_ns is not None:
        os.utime(descriptor, ns=(content.mtime_ns, content.mtime_ns))
