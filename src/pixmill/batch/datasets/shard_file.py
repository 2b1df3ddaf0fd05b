"""Files that are there whole or not at all, and survive a power cut: what shards and indexes are written with."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, cast

from pixmill.core.errors import ReadError, RunError, WriteError
from pixmill.storage.local.errors import write_error
from pixmill.storage.local.fsync import sync_folder

UNFINISHED = ".unfinished"
_BUFFER = 1 << 20
_AGAIN = "see to it, and run the same command again"


class HashingWriter(io.RawIOBase):
    """What a file is written through, front to back: it counts the bytes, and knows their digest."""

    def __init__(self, file: BinaryIO) -> None:
        """Pass everything on to ``file``."""
        super().__init__()
        self._file = file
        self._hash = blake2b(digest_size=16)
        self.size = 0

    @property
    def digest(self) -> bytes:
        """Return the BLAKE2b-128 of what was written so far."""
        return self._hash.digest()

    @property
    def as_file(self) -> BinaryIO:
        """Return this, typed as what writers take."""
        return cast("BinaryIO", self)

    def writable(self) -> bool:
        """Say so."""
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
    """Write a file that gets the name ``target`` at the end of the block. Until then it is called otherwise, in the same folder.

    When it cannot be written, nothing is left of it.
    """
    temporary = target.with_name(target.name + UNFINISHED)
    try:
        with suppress(FileNotFoundError):  # of a dead run, or a link of whoever may write here
            temporary.unlink()
        with temporary.open("xb", buffering=_BUFFER) as file:
            yield HashingWriter(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        fsync_directories(target.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def fsync_directories(*folders: Path) -> None:
    """Make the names in ``folders`` survive a power cut."""
    for folder in folders:
        sync_folder(os.fsencode(folder))


@contextmanager
def translating_errors(folder: Path) -> Iterator[None]:
    """Turn what the system or a store says against a change at ``folder`` into a ``RunError``: there is no going on without."""
    try:
        yield
    except (ReadError, WriteError) as error:
        raise RunError(error.message, code="not-writable", hint=error.hint or _AGAIN) from error
    except OSError as error:
        place = os.fsencode(folder)
        meant = write_error(error, os.fsencode(error.filename) if error.filename else place, root=place)
        if isinstance(meant, RunError):
            raise meant from error
        raise RunError(meant.message, code="not-writable", hint=_AGAIN) from error
