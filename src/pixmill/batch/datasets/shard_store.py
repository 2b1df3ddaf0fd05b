"""The storage of sealed shards: a folder of this machine, or a bucket."""

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
    """Complete files by name. Errors are an ``OSError``, or an ``ImageError`` if an object store cannot be reached."""

    def sizes(self) -> dict[str, int]:
        """Return the size of each file, by name."""

    def put(self, file: Path) -> None:
        """Move ``file`` here under its own name, atomically, replacing an existing file. Durable when the call returns."""

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""

    def path(self, name: str) -> Path:
        """Return a path where the content of a file can be read until the next call."""

    def close(self) -> None:
        """Release the file that ``path`` returned."""


class LocalShardStore(ShardStore):
    """A folder."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which need not exist yet."""
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
        """Unlink the file."""
        (self._folder / name).unlink(missing_ok=True)
        fsync_directories(self._folder)

    def path(self, name: str) -> Path:
        """Return its path in the folder."""
        return self._folder / name

    def close(self) -> None:
        """Do nothing: no resources are held."""


class BucketShardStore(ShardStore):
    """A bucket, or a prefix of one. One file at a time is downloaded for reading."""

    def __init__(self, storage: ObjectStorage) -> None:
        """Send no request yet."""
        self._storage = storage
        self._retry_policy = RetryPolicy()
        self._download_folder: TemporaryDirectory[str] | None = None

    def sizes(self) -> dict[str, int]:
        """Return the size of each object that is not in a folder."""
        listings = self._storage.list(descend=lambda _: False)
        return {os.fsdecode(entry.path): entry.size for listing in listings for entry in listing}

    def put(self, file: Path) -> None:
        """Upload ``file``, verify its size in the bucket, and remove it."""
        name = os.fsencode(file.name)
        self._retry_policy.call(lambda: self._upload(name, file))
        file.unlink()

    def remove(self, name: str) -> None:
        """Delete the object."""
        self._retry_policy.call(lambda: self._storage.delete(os.fsencode(name)))

    def path(self, name: str) -> Path:
        """Download the object to a temporary folder."""
        self.close()
        self._download_folder = temporary_folder()
        target = Path(self._download_folder.name) / name
        self._retry_policy.call(lambda: self._storage.download(os.fsencode(name), target))
        return target

    def close(self) -> None:
        """Remove the downloaded file."""
        if self._download_folder is not None:
            self._download_folder.cleanup()
            self._download_folder = None

    def _upload(self, name: bytes, file: Path) -> None:
        self._storage.upload(name, file)
        entry, size = self._storage.stat(name), file.stat().st_size
        if entry is None or entry.size != size:
            actual = "nothing" if entry is None else f"{entry.size} bytes"
            raise WriteError(f"{printable(name)}: uploaded {size} bytes, but the store has {actual}", retryable=True)


def open_shard_store(home: Address) -> ShardStore:
    """Return the shard store at ``home``; ``AddressError`` if shards cannot be stored there."""
    if home.local:
        return LocalShardStore(home.local)
    storage = open_storage(home)
    if not isinstance(storage, ObjectStorage):
        raise AddressError(f"{home}: shards can only be stored in a folder or a bucket")
    return BucketShardStore(storage)
