"""The catalogue: the shards of a dataset and the location of each output in them. A SQLite file beside the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from sqlite3 import Connection

import msgspec

from pixmill.engine.sqlite.database import open_for_reading, open_for_writing, transaction, translating_errors
from pixmill.engine.sqlite.schema import Schema
from pixmill.engine.sqlite.statements import read_statements

CATALOGUE_FILE = "catalogue.sqlite"
_PACKAGE = "pixmill.batch.datasets"
_SCHEMA = Schema(_PACKAGE, version=1, application=int.from_bytes(b"pxmd", "big"))


class Stage(IntEnum):
    """The state of a shard."""

    STAGED = 0
    #: its file is complete, in the staging folder
    SEALING = 1
    #: a switch has begun: its file is in the staging folder or already under its final name
    SEALED = 2
    #: its file has its final name
    RETIRING = 3
    #: a switch has begun: other shards replace it


class DatasetShard(msgspec.Struct, frozen=True):
    """A shard as written. ``name`` is its file name, ``size`` the file's size in bytes, ``digest`` the BLAKE2b-128 of the file."""

    id: int
    name: str
    stage: Stage
    fingerprint: bytes
    size: int
    samples: int
    digest: bytes


class OutputLocation(msgspec.Struct, frozen=True):
    """The location of an output: ``position`` in the shard with the id ``shard``. ``source`` is the ledger's key."""

    shard: int
    source: bytes
    position: int
    size: int
    digest: bytes


class Catalogue:
    """The contents of shards, for one writer at a time. Every change is on disk when the call returns; ``RunError`` if it fails.

    A damaged file is quarantined and replaced by an empty one, like a ledger.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the catalogue at ``path``, creating it if needed; with ``read_only`` it must exist."""
        self._path = path
        self._sql = read_statements(_PACKAGE, "queries.sql")
        self._connection, _ = open_for_reading(path, _SCHEMA) if read_only else open_for_writing(path, _SCHEMA)

    def shards(self) -> list[DatasetShard]:
        """Return every shard, ordered by name."""
        return self._shards("shards")

    def pending_switch(self) -> list[DatasetShard]:
        """Return the shards of a switch that has begun and is not committed, ordered by name."""
        return self._shards("changing")

    def locate(self, name: bytes) -> list[OutputLocation]:
        """Return the locations of the output ``name``, newest first."""
        with translating_errors(self._path):
            return [OutputLocation(*row) for row in self._connection.execute(self._sql["find"], (name,)).fetchall()]

    def add(self, shard: DatasetShard, locations: Iterable[tuple[bytes, OutputLocation]]) -> DatasetShard:
        """Add ``shard`` and the locations of its outputs by name; return it with its new id. Ids in the arguments are ignored."""
        values = (shard.name, shard.stage, shard.fingerprint, shard.size, shard.samples, shard.digest)
        with self._change() as connection:
            shard_id = connection.execute(self._sql["add"], values).lastrowid or 0
            rows = (
                (name, shard_id, location.source, location.position, location.size, location.digest) for name, location in locations
            )
            connection.executemany(self._sql["place"], rows)
        return msgspec.structs.replace(shard, id=shard_id)

    def begin_switch(self, sealing: Sequence[DatasetShard], retiring: Sequence[DatasetShard]) -> None:
        """Record in one transaction that the shards ``sealing`` replace ``retiring``. From here on the switch must be completed."""
        rows = [(Stage.SEALING, shard.id) for shard in sealing] + [(Stage.RETIRING, shard.id) for shard in retiring]
        with self._change() as connection:
            connection.executemany(self._sql["decide"], rows)

    def commit_switch(self) -> None:
        """Record that the switch is complete."""
        with self._change() as connection:
            for statement in ("seal", "part", "leave"):
                connection.execute(self._sql[statement])

    def rollback_switch(self) -> None:
        """Undo a switch that has begun and is not complete."""
        with self._change() as connection:
            for statement in ("unseal", "stay"):
                connection.execute(self._sql[statement])

    def invalidate(self, shard: DatasetShard) -> None:
        """Delete the contents of a shard whose file has changed."""
        with self._change() as connection:
            for statement in ("empty", "void"):
                connection.execute(self._sql[statement], (shard.id,))

    def delete(self, shard: DatasetShard) -> None:
        """Delete a shard."""
        with self._change() as connection:
            for statement in ("empty", "drop"):
                connection.execute(self._sql[statement], (shard.id,))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()

    def _shards(self, statement: str) -> list[DatasetShard]:
        with translating_errors(self._path):
            rows = self._connection.execute(self._sql[statement]).fetchall()
        return [DatasetShard(row[0], row[1], Stage(row[2]), *row[3:]) for row in rows]

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        """Run the block in one transaction: on disk afterwards, or rolled back."""
        with translating_errors(self._path), transaction(self._connection) as connection:
            yield connection
