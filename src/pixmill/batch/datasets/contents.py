"""``Contents``: where each output of a dataset is, in a part or in a shard, and its bytes."""

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
from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.engine.ledger import Record
from pixmill.engine.task import Task
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage

_BELIEVED = (Stage.SEALING, Stage.SEALED)


class Contents:
    """The outputs of ``dataset``: those in parts, and those that the ``catalogue`` knows to be in shards whose files stand."""

    def __init__(self, dataset: Dataset, catalogue: Catalogue | None, shelf: ShardStore) -> None:
        """Look at the files of the shards; ``None`` is for a dataset that has no catalogue yet."""
        self._dataset = dataset
        self._shelf = shelf
        self._parts = open_storage(dataset.parts)
        self._part_root = os.fsencode(dataset.parts) + b"/"
        self._catalogue = catalogue
        self._files: dict[int, Path | str] = {}
        self._open: tuple[int, ShardReader] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Look at the files of the shards again: some have been sealed, or have gone."""
        self.close()
        shards = self._catalogue.shards() if self._catalogue else []
        sizes = self._shelf.sizes() if shards else {}
        places = [(shard.id, place_of(self._dataset, shard, sizes)) for shard in shards if shard.stage in _BELIEVED]
        self._files = {identity: place for identity, place in places if place}

    def locate(self, output: OutputRecord) -> OutputLocation | None:
        """Return where in a shard ``output`` is, ``None`` when it is in none."""
        spots = self._catalogue.find(output.name) if self._catalogue else []
        return next((spot for spot in spots if spot.digest == output.digest and spot.shard in self._files), None)

    def has_part(self, output: OutputRecord) -> bool:
        """Tell whether there is a part of the name and size of ``output``."""
        try:
            return os.stat(self._part_root + output.name).st_size == output.size  # noqa: PTH116  # bytes, and once for every output
        except OSError:
            return False

    def has_outputs(self, output: OutputRecord) -> bool:
        """Tell whether ``output`` is in a shard or a part."""
        return self.locate(output) is not None or self.has_part(output)

    def exists(self, task: Task, record: Record) -> bool:  # noqa: ARG002  # the engine's signature
        """Tell whether every output of ``record`` is in a shard or a part."""
        return all(map(self.has_outputs, unpack(record.result).outputs))

    def read_output(self, output: OutputRecord) -> bytes:
        """Return the bytes of ``output``; ``ReadError`` when there are none of its digest."""
        spot = self.locate(output)
        data = self._read_spot(spot) if spot else self._parts.read(output.name, limit=output.size)
        if blake2b(data, digest_size=16).digest() != output.digest:
            raise ReadError(f"{printable(output.name)} is not what was written")
        return data

    def remove_part(self, output: OutputRecord) -> None:
        """Remove the part that holds ``output``, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(self._part_root + output.name)  # noqa: PTH108  # bytes

    def stat(self, path: bytes) -> Entry | None:
        """Return the output called ``path``, as a storage does."""
        part = self._parts.stat(path)
        spot = None if part else self._newest(path)
        return part if spot is None else Entry(path, spot.size, spot.digest)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the bytes of the output called ``path``, as a storage does."""
        spot = None if self._parts.stat(path) else self._newest(path)
        return self._parts.read(path, limit=limit) if spot is None else self._read_spot(spot)

    def close(self) -> None:
        """Let go of the shard that is open."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _newest(self, path: bytes) -> OutputLocation | None:
        spots = self._catalogue.find(path) if self._catalogue else []
        return next((spot for spot in spots if spot.shard in self._files), None)

    def _read_spot(self, spot: OutputLocation) -> bytes:
        if self._open is None or self._open[0] != spot.shard:
            self.close()
            place = self._files[spot.shard]
            path = self._shelf.path(place) if isinstance(place, str) else place
            packing = next(packing for _, packing in packings() if packing.suffix == path.suffix)
            self._open = (spot.shard, packing.reader(path))
        return self._open[1].read(spot.position, spot.size)


def place_of(dataset: Dataset, shard: DatasetShard, sizes: Mapping[str, int]) -> Path | str | None:
    """Return where the file of ``shard`` is, ``None`` when there is none of its size.

    That is its path as long as it is staged, else its name on a shelf where files have these ``sizes``.
    """
    staged = dataset.staging / shard.name
    if shard.stage in (Stage.STAGED, Stage.SEALING) and _size(staged) == shard.size:
        return staged
    return shard.name if shard.stage is not Stage.STAGED and sizes.get(shard.name) == shard.size else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


class Outputs(Protocol):
    """What can be asked about outputs, wherever they are: the part of a storage that reads single files."""

    def stat(self, path: bytes) -> Entry | None:
        """Return what is there, or ``None``."""

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content; ``ReadError`` when it cannot be had."""


class CombinedOutputs:
    """The outputs of all parts of a run as one."""

    def __init__(self, parts: Sequence[Outputs]) -> None:
        """Ask ``parts`` in turn."""
        self._parts = parts

    def stat(self, path: bytes) -> Entry | None:
        """Return what the first has that has anything."""
        return next((entry for part in self._parts if (entry := part.stat(path))), None)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return what the first has that has anything."""
        holder = next((part for part in self._parts if part.stat(path)), self._parts[0])
        return holder.read(path, limit=limit)
