"""The catalogue: which shards there are, and where in them each output is. A SQLite file beside the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from sqlite3 import Connection

import msgspec

from pixmill.engine.sqlite.database import Schema, open_for_reading, open_for_writing, transaction, translating_errors
from pixmill.engine.sqlite.statements import read_statements

CATALOGUE = "catalogue.sqlite"
_PACKAGE = "pixmill.batch.datasets"
_VERSION = 1
_APPLICATION = int.from_bytes(b"pxmd", "big")


class Stage(IntEnum):
    """How far a shard has come."""

    STAGED = 0
    #: its file is whole, in the folder of shards that wait
    SEALING = 1
    #: decided; its file is on its way to its final name, or there
    SEALED = 2
    #: under its final name
    LEAVING = 3
    #: decided; others take its place


class DatasetShard(msgspec.Struct, frozen=True):
    """A shard as it was written. ``name`` is that of its file, ``size`` its bytes, ``digest`` their BLAKE2b-128."""

    id: int
    name: str
    stage: Stage
    fingerprint: bytes
    size: int
    samples: int
    digest: bytes


class OutputLocation(msgspec.Struct, frozen=True):
    """Where an output is: at ``position`` of the shard with the id ``shard``. ``source`` is the ledger's key."""

    shard: int
    source: bytes
    position: int
    size: int
    digest: bytes


class Catalogue:
    """What shards hold, for one writer at a time. Every change is on disk when the call returns; ``RunError`` when it cannot be.

    A damaged file is set aside and forgotten, as a ledger is.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the catalogue at ``path``, or make it there; with ``read_only`` it must be there."""
        self._path = path
        self._sql = read_statements(_PACKAGE, "queries.sql")
        design = Schema(read_statements(_PACKAGE, "schema.sql"), _VERSION, _APPLICATION)
        self._connection, _ = open_for_reading(path, design) if read_only else open_for_writing(path, design)

    def shards(self) -> list[DatasetShard]:
        """Return every shard, by name."""
        return self._shards("shards")

    def changing(self) -> list[DatasetShard]:
        """Return the shards about which something is decided and not yet done, by name."""
        return self._shards("changing")

    def find(self, name: bytes) -> list[OutputLocation]:
        """Return where the output ``name`` is, the newest first."""
        with translating_errors(self._path):
            return [OutputLocation(*row) for row in self._connection.execute(self._sql["find"], (name,)).fetchall()]

    def add(self, shard: DatasetShard, spots: Iterable[tuple[bytes, OutputLocation]]) -> DatasetShard:
        """Add ``shard`` with its outputs, by name; return it with the id that it got, which those of the arguments are not."""
        values = (shard.name, shard.stage, shard.fingerprint, shard.size, shard.samples, shard.digest)
        with self._change() as connection:
            identity = connection.execute(self._sql["add"], values).lastrowid or 0
            rows = ((name, identity, spot.source, spot.position, spot.size, spot.digest) for name, spot in spots)
            connection.executemany(self._sql["place"], rows)
        return msgspec.structs.replace(shard, id=identity)

    def begin_switch(self, sealing: Sequence[DatasetShard], leaving: Sequence[DatasetShard]) -> None:
        """Say, all at once, that some shards take the place of others. From here on it is to be seen through."""
        rows = [(Stage.SEALING, shard.id) for shard in sealing] + [(Stage.LEAVING, shard.id) for shard in leaving]
        with self._change() as connection:
            connection.executemany(self._sql["decide"], rows)

    def commit_switch(self) -> None:
        """Say that what was decided has been done."""
        with self._change() as connection:
            for statement in ("seal", "part", "leave"):
                connection.execute(self._sql[statement])

    def rollback_switch(self) -> None:
        """Take back what was decided and has not been done."""
        with self._change() as connection:
            for statement in ("unseal", "stay"):
                connection.execute(self._sql[statement])

    def invalidate(self, shard: DatasetShard) -> None:
        """Forget what is in a shard: its file has been changed."""
        with self._change() as connection:
            for statement in ("empty", "void"):
                connection.execute(self._sql[statement], (shard.id,))

    def delete(self, shard: DatasetShard) -> None:
        """Forget a shard."""
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
        """One transaction: on disk after the block, or undone."""
        with translating_errors(self._path), transaction(self._connection) as connection:
            yield connection
