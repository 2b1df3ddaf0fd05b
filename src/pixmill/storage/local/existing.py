"""The existing file, folder or link at the path of a new output."""

import os
import stat
from collections.abc import Sequence
from hashlib import blake2b
from typing import Self

import msgspec

from pixmill.core.operating_system import CLOSED_ON_EXEC, NO_FOLLOW, NO_WAIT
from pixmill.storage.entry import FileVersion
from pixmill.storage.local.fsync import sync
from pixmill.storage.storage import DIGEST_SIZE, WrittenFile

_FLAGS = os.O_RDONLY | NO_FOLLOW | NO_WAIT | CLOSED_ON_EXEC
_CHUNK_SIZE = 1 << 20  # bytes


class Occupant(msgspec.Struct, frozen=True):
    """The file, folder, link or other object called ``name`` in the open ``folder``."""

    name: bytes
    folder: int
    status: os.stat_result

    @classmethod
    def of(cls, name: bytes, *, folder: int) -> Self | None:
        """Return the occupant of ``name``; ``None`` if there is none."""
        try:
            return cls(name, folder, os.stat(name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return None

    @property
    def identity(self) -> tuple[int, int]:
        """Return device and inode."""
        return self.status.st_dev, self.status.st_ino

    @property
    def is_file(self) -> bool:
        """Tell whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_folder(self) -> bool:
        """Tell whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def version(self) -> FileVersion:
        """Return its version."""
        return FileVersion.of(self.status)

    def is_one_of(self, written: Sequence[WrittenFile]) -> bool:
        """Tell whether it is a file with the version or the content of one of ``written``, or an empty one, left of it."""
        if not (written and self.is_file):
            return False
        if not self.status.st_size or any(self.version.matches(each.version) for each in written):
            return True
        digests = {each.digest for each in written if each.version.size == self.status.st_size}
        return bool(digests) and self._digest() in digests

    def _digest(self) -> bytes | None:
        """Return the digest of its content; ``None`` if it cannot be read."""
        try:
            descriptor = os.open(self.name, _FLAGS, dir_fd=self.folder)
        except OSError:
            return None
        digest = blake2b(digest_size=DIGEST_SIZE)
        try:
            while part := os.read(descriptor, _CHUNK_SIZE):
                digest.update(part)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return digest.digest()

    def contains(self, data: bytes | memoryview, *, durable: bool) -> bool:
        """Tell whether it is a file with exactly these bytes; with ``durable``, sync it to survive a power failure."""
        if not self.is_file or self.status.st_size != len(data):
            return False
        try:
            descriptor = os.open(self.name, _FLAGS, dir_fd=self.folder)
        except OSError:
            return False
        try:
            if not _is_equal(descriptor, data):
                return False
            if durable:
                sync(descriptor)
            return True
        finally:
            os.close(descriptor)


def _is_equal(descriptor: int, data: bytes | memoryview) -> bool:
    remainder = memoryview(data)
    while part := os.read(descriptor, _CHUNK_SIZE):
        if part != remainder[: len(part)]:
            return False
        remainder = remainder[len(part) :]
    return not remainder
