"""Atomic files that survive a power cut, for shards and indexes."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, cast

from pixmill.core import operating_system
from pixmill.core.errors import ReadError, RunError, WriteError
from pixmill.storage.local.errors import write_error
from pixmill.storage.local.fsync import sync_folder

TEMPORARY_SUFFIX = ".unfinished"
_BUFFER_SIZE = 1 << 20
_RETRY_HINT = "fix this, and run the same command again"


class HashingWriter(io.RawIOBase):
    """Writes a file sequentially, counting and hashing its bytes."""

    def __init__(self, file: BinaryIO) -> None:
        """Write to ``file``."""
        super().__init__()
        self._file = file
        self._hash = blake2b(digest_size=16)
        self.size = 0

    @property
    def digest(self) -> bytes:
        """Return the BLAKE2b-128 of the bytes written so far."""
        return self._hash.digest()

    @property
    def as_file(self) -> BinaryIO:
        """Return this object with the type that writers expect."""
        return cast("BinaryIO", self)

    def writable(self) -> bool:
        """Return ``True``."""
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401  # any buffer
        """Append ``data``."""
        view = memoryview(data).cast("B")
        self._file.write(view)
        self._hash.update(view)
        self.size += len(view)
        return len(view)


@contextmanager
def atomic_shard_file(target: Path) -> Iterator[HashingWriter]:
    """Write a file that gets the name ``target`` at the end of the block; until then it has a temporary name in the same folder.

    If it cannot be written, nothing is left behind.
    """
    temporary = target.with_name(target.name + TEMPORARY_SUFFIX)
    try:
        with suppress(FileNotFoundError):  # left by a dead run, or a link planted by another user who can write here
            temporary.unlink()
        with temporary.open("xb", buffering=_BUFFER_SIZE) as file:
            yield HashingWriter(file)
            file.flush()
            operating_system.sync(file.fileno())
        temporary.replace(target)
        fsync_directories(target.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def fsync_directories(*folders: Path) -> None:
    """Make the file names in ``folders`` survive a power cut."""
    for folder in folders:
        sync_folder(os.fsencode(folder))


@contextmanager
def translating_errors(folder: Path) -> Iterator[None]:
    """Translate errors of the system or a store about a change in ``folder`` into a ``RunError``: the run cannot continue."""
    try:
        yield
    except (ReadError, WriteError) as error:
        raise RunError(error.message, code="not-writable", hint=error.hint or _RETRY_HINT) from error
    except OSError as error:
        path = os.fsencode(folder)
        translated = write_error(error, os.fsencode(error.filename) if error.filename else path, root=path)
        if isinstance(translated, RunError):
            raise translated from error
        raise RunError(translated.message, code="not-writable", hint=_RETRY_HINT) from error
