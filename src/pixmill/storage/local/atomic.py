"""Write a file whole or not at all, so that it is still there after a power cut.

The order is what makes it safe: content to disk, then the name, then the directory that holds the name. A rename without
the first leaves an empty file under the final name after a power cut (seen on ext4); without the last, no file.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from pixmill.storage.storage import unheard

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotSynced(OSError):
    """An fsync failed. The kernel may have dropped the data and marked it clean, so asking again proves nothing."""


class Content(msgspec.Struct, frozen=True):
    """What to write: the bytes, whether they must survive a power cut, and a modification time to set.

    ``syncing`` is called when only the disk is waited for.
    """

    data: bytes
    durable: bool
    mtime_ns: int | None = None
    syncing: Callable[[], None] = unheard


def write(target: bytes, content: Content, temporaries: Iterator[bytes]) -> None:
    """Put ``content`` under ``target``; ``OSError`` when it could not be done, and then no temporary is left.

    After a failed fsync everything is written once more, from the start.
    """
    try:
        settle(place(target, content, temporaries))
    except NotSynced:
        settle(place(target, content, temporaries))


def place(target: bytes, content: Content, temporaries: Iterator[bytes]) -> list[bytes]:
    """Give ``content`` its final name; return the directories to ``settle`` before it counts as durable.

    Several files may be placed before their directories are settled together.
    """
    directory = os.path.dirname(target)
    descriptor, temporary, made = _create(directory, temporaries)
    try:
        try:
            _fill(descriptor, content)
        finally:
            os.close(descriptor)
        os.rename(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return [directory, *made] if content.durable else []


def settle(directories: list[bytes]) -> None:
    """Make the names in these directories survive a power cut."""
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)


def _create(directory: bytes, temporaries: Iterator[bytes]) -> tuple[int, bytes, list[bytes]]:
    made: list[bytes] = []
    for name in temporaries:
        temporary = os.path.join(directory, name)
        try:
            return os.open(temporary, _FLAGS, 0o666), temporary, made
        except FileExistsError:
            continue  # another machine on the same file system, or a dead process of the same number
        except FileNotFoundError:
            made += _make(directory)
            return os.open(temporary, _FLAGS, 0o666), temporary, made
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
    if content.durable:
        content.syncing()
        _sync(descriptor)


def _sync(descriptor: int) -> None:
    try:
        if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync alone leaves the data in the drive's own cache
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    except OSError as error:
        raise NotSynced(error.errno, error.strerror) from error
