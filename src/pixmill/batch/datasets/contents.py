"""``Contents``: the location of each output of a dataset, in a part or in a shard, and its bytes."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from pixmill.batch.datasets.catalogue import Catalogue, DatasetShard, OutputLocation, Stage
from pixmill.batch.datasets.dataset import Dataset
from pixmill.batch.datasets.packing import ShardReader, packings
from pixmill.batch.datasets.shard_store import ShardStore
from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.engine.ledger import Record
from pixmill.engine.task import Task
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage

_BELIEVED = (Stage.SEALING, Stage.SEALED)


class Contents:
    """The outputs of ``dataset``: those in parts, and those that the ``catalogue`` lists in shards whose files exist."""

    def __init__(self, dataset: Dataset, catalogue: Catalogue | None, store: ShardStore) -> None:
        """Check the files of the shards; ``catalogue`` is ``None`` for a dataset that has none yet."""
        self._dataset = dataset
        self._store = store
        self._parts = open_storage(dataset.parts)
        self._part_root = os.fsencode(dataset.parts) + b"/"
        self._catalogue = catalogue
        self._files: dict[int, Path | str] = {}
        self._changed: dict[int, str] = {}
        self._open_shard: tuple[int, ShardReader] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Check the files of the shards again: some have been sealed or removed."""
        self.close()
        shards = self._catalogue.shards() if self._catalogue else []
        sizes = self._store.sizes() if shards else {}
        shard_locations = [(shard.id, shard_location(self._dataset, shard, sizes)) for shard in shards if shard.stage in _BELIEVED]
        self._files = {shard_id: location for shard_id, location in shard_locations if location}
        self._changed = {shard.id: shard.name for shard in shards if is_changed(shard, sizes)}

    @property
    def changed_shards(self) -> frozenset[str]:
        """Return the names of the shards whose files were changed by another program."""
        return frozenset(self._changed.values())

    def locate(self, output: OutputRecord) -> OutputLocation | None:
        """Return the location of ``output`` in a shard, be it changed, or ``None`` if it is in none."""
        locations = self._catalogue.locate(output.name) if self._catalogue else []
        shards = self._files.keys() | self._changed.keys()
        return next((location for location in locations if location.digest == output.digest and location.shard in shards), None)

    def has_part(self, output: OutputRecord) -> bool:
        """Return whether there is a part with the name and size of ``output``."""
        try:
            return os.stat(self._part_root + output.name).st_size == output.size  # noqa: PTH116  # bytes, and once for every output
        except OSError:
            return False

    def has_outputs(self, output: OutputRecord) -> bool:
        """Return whether ``output`` is in a shard or a part."""
        return self.locate(output) is not None or self.has_part(output)

    def exists(self, task: Task, record: Record) -> bool | str:  # noqa: ARG002  # the engine's signature
        """Return whether every output of ``record`` is in a shard or a part; ``OUTPUT_CHANGED`` if that shard was changed."""
        has_changed = False
        for output in unpack(record.result).outputs:
            location = self.locate(output)
            if location is None and not self.has_part(output):
                return False
            has_changed = has_changed or (location is not None and location.shard in self._changed and not self.has_part(output))
        return OUTPUT_CHANGED if has_changed else True

    def read_output(self, output: OutputRecord) -> bytes:
        """Return the bytes of ``output``; ``ReadError`` if they are missing or do not match its digest."""
        location = self.locate(output)
        data = self._read_at(location) if location else self._parts.read(output.name, limit=output.size)
        if blake2b(data, digest_size=16).digest() != output.digest:
            raise ReadError(f"{printable(output.name)} does not match its recorded digest")
        return data

    def remove_part(self, output: OutputRecord) -> None:
        """Remove the part that holds ``output``, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(self._part_root + output.name)  # noqa: PTH108  # bytes

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry of the output called ``path``, as a storage does."""
        part = self._parts.stat(path)
        location = None if part else self._newest(path)
        return part if location is None else Entry(path, location.size, location.digest)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the bytes of the output called ``path``, as a storage does."""
        location = None if self._parts.stat(path) else self._newest(path)
        return self._parts.read(path, limit=limit) if location is None else self._read_at(location)

    def close(self) -> None:
        """Close the open shard."""
        if self._open_shard is not None:
            self._open_shard[1].close()
            self._open_shard = None

    def _newest(self, path: bytes) -> OutputLocation | None:
        locations = self._catalogue.locate(path) if self._catalogue else []
        return next((location for location in locations if location.shard in self._files), None)

    def _read_at(self, location: OutputLocation) -> bytes:
        if self._open_shard is None or self._open_shard[0] != location.shard:
            self.close()
            if location.shard in self._changed:
                raise ReadError(f"{self._changed[location.shard]} was changed since pixmill wrote it")
            file = self._files[location.shard]
            path = self._store.path(file) if isinstance(file, str) else file
            packing = next(packing for _, packing in packings() if packing.suffix == path.suffix)
            self._open_shard = (location.shard, packing.reader(path))
        return self._open_shard[1].read(location.position, location.size)


def shard_location(dataset: Dataset, shard: DatasetShard, sizes: Mapping[str, int]) -> Path | str | None:
    """Return the location of the file of ``shard``, or ``None`` if no file has its size.

    This is its path while it is staged, and afterwards its name in a shard store whose files have these ``sizes``.
    """
    staged = dataset.staging / shard.name
    if shard.stage in (Stage.STAGED, Stage.SEALING) and _size(staged) == shard.size:
        return staged
    return shard.name if shard.stage is not Stage.STAGED and sizes.get(shard.name) == shard.size else None


def is_changed(shard: DatasetShard, sizes: Mapping[str, int]) -> bool:
    """Tell whether the file of a sealed ``shard`` was changed: it is there, and neither has its size nor is empty."""
    is_sealed = shard.stage is Stage.SEALED and bool(shard.fingerprint)
    return is_sealed and sizes.get(shard.name, 0) not in (0, shard.size)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


class Outputs(Protocol):
    """Read access to outputs, wherever they are: the part of a storage that reads single files."""

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry of an output, or ``None`` if there is none."""

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content; ``ReadError`` if it cannot be read."""


class CombinedOutputs:
    """The outputs of all shards of a run as one."""

    def __init__(self, parts: Sequence[Outputs]) -> None:
        """Search ``parts`` in order."""
        self._parts = parts

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry of the first that has the output, or ``None``."""
        return next((entry for part in self._parts if (entry := part.stat(path))), None)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the content from the first that has the output."""
        holder = next((part for part in self._parts if part.stat(path)), self._parts[0])
        return holder.read(path, limit=limit)
