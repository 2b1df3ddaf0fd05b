"""Where shards have their final names: a folder of this machine, or a bucket."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from pixmill.batch.datasets.shard_file import fsync_directories
from pixmill.core.errors import AddressError, WriteError
from pixmill.core.temporary_folder import temporary_folder
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.object_store.storage import ObjectStorage
from pixmill.storage.open import open_storage
from pixmill.storage.retry.policy import RetryPolicy


class ShardStore(Protocol):
    """Whole files under names. Errors are an ``OSError``, or an ``ImageError`` of a store that is out of reach."""

    def sizes(self) -> dict[str, int]:
        """Return the size of each file, by name."""

    def put(self, file: Path) -> None:
        """Move ``file`` here, under its own name, whole or not at all; what was there is replaced. Once done it is durable."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def path(self, name: str) -> Path:
        """Return where the content of a file can be read until the next call."""

    def close(self) -> None:
        """Let go of what ``path`` has given."""


class LocalShardStore(ShardStore):
    """A folder."""

    def __init__(self, folder: Path) -> None:
        """Stand on ``folder``, which need not exist yet."""
        self._folder = folder

    def sizes(self) -> dict[str, int]:
        """Return the size of each regular file."""
        with suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        return {}

    def put(self, file: Path) -> None:
        """Rename ``file``."""
        file.replace(self._folder / file.name)
        fsync_directories(self._folder, file.parent)

    def remove(self, name: str) -> None:
        """Unlink it."""
        (self._folder / name).unlink(missing_ok=True)
        fsync_directories(self._folder)

    def path(self, name: str) -> Path:
        """Return where it is."""
        return self._folder / name

    def close(self) -> None:
        """Hold nothing."""


class BucketShardStore(ShardStore):
    """A bucket, or what is below a prefix of it. One file at a time is brought here to be read."""

    def __init__(self, storage: ObjectStorage) -> None:
        """Ask for nothing yet."""
        self._storage = storage
        self._patience = RetryPolicy()
        self._here: TemporaryDirectory[str] | None = None

    def sizes(self) -> dict[str, int]:
        """Return the size of each object that is not in a folder."""
        listings = self._storage.list(descend=lambda _: False)
        return {os.fsdecode(entry.path): entry.size for listing in listings for entry in listing}

    def put(self, file: Path) -> None:
        """Upload ``file``, see that all of it has arrived, and remove it."""
        name = os.fsencode(file.name)
        self._patience.call(lambda: self._upload(name, file))
        file.unlink()

    def remove(self, name: str) -> None:
        """Delete the object."""
        self._patience.call(lambda: self._storage.delete(os.fsencode(name)))

    def path(self, name: str) -> Path:
        """Download it."""
        self.close()
        self._here = temporary_folder()
        target = Path(self._here.name) / name
        self._patience.call(lambda: self._storage.download(os.fsencode(name), target))
        return target

    def close(self) -> None:
        """Remove what was brought here."""
        if self._here is not None:
            self._here.cleanup()
            self._here = None

    def _upload(self, name: bytes, file: Path) -> None:
        self._storage.upload(name, file)
        entry, size = self._storage.stat(name), file.stat().st_size
        if entry is None or entry.size != size:
            found = "nothing" if entry is None else f"{entry.size} bytes"
            raise WriteError(f"{printable(name)}: there is {found} in the store after {size} bytes were put", retryable=True)


def open_shard_store(home: Address) -> ShardStore:
    """Return the shelf at ``home``; ``AddressError`` when shards cannot be kept there."""
    if home.local:
        return LocalShardStore(home.local)
    storage = open_storage(home)
    if not isinstance(storage, ObjectStorage):
        raise AddressError(f"{home}: shards are kept in a folder or in a bucket")
    return BucketShardStore(storage)
