"""What has a name that a result wants."""

import os
import stat
from typing import Self

import msgspec

from pixmill.storage.local.fsync import sync

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20  # bytes


class Occupant(msgspec.Struct, frozen=True):
    """What is at ``name`` in the open ``folder``: a file, a folder, a link, whatever it is."""

    name: bytes
    folder: int
    status: os.stat_result

    @classmethod
    def of(cls, name: bytes, *, folder: int) -> Self | None:
        """Return what is there; ``None`` for nothing."""
        try:
            return cls(name, folder, os.stat(name, dir_fd=folder, follow_symlinks=False))
        except FileNotFoundError:
            return None

    @property
    def identity(self) -> tuple[int, int]:
        """Return its device and inode."""
        return self.status.st_dev, self.status.st_ino

    @property
    def is_file(self) -> bool:
        """Tell whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_folder(self) -> bool:
        """Tell whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)

    def holds(self, data: bytes, *, durable: bool) -> bool:
        """Tell whether it is a file of exactly these bytes; with ``durable`` they are then safe from a power cut."""
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


def _is_equal(descriptor: int, data: bytes) -> bool:
    rest = memoryview(data)
    while part := os.read(descriptor, _CHUNK):
        if part != rest[: len(part)]:
            return False
        rest = rest[len(part) :]
    return not rest
