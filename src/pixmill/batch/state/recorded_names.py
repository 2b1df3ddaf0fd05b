"""The names of outputs that are on record: a source whose output has a name of an earlier version keeps it."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from pixmill.batch.config.shard import Shard
from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.core.errors import RunError
from pixmill.engine.ledger import Record
from pixmill.engine.ledgers.sqlite import SqliteLedger

MAX_QUERY = 64  # ledgers that are looked into at once; a run that follows on more of them takes them over when it begins


class RecordedNames:
    """Looks into the ledgers in the folder ``state`` that know images of ``shard``, without changing them.

    Of outputs in the folder ``destination`` those count that are still there with their size: two sources of an earlier version
    may have one name on record, and then the file is of one of them. A ledger that cannot be read holds nothing: the run itself
    says what is wrong with it.
    """

    def __init__(self, state: Path, shard: Shard, destination: Path | None) -> None:
        """Open nothing yet."""
        self._state = state
        self._shard = shard
        self._root = None if destination is None else os.fsencode(destination)
        self._ledgers: list[SqliteLedger] | None = None
        self._using = Lock()

    def __call__(self, sources: Sequence[bytes]) -> list[Collection[bytes]]:
        """Return the names of the outputs of each source, in order; none where it has none."""
        with self._using:
            if self._ledgers is None:
                self._ledgers = self._opened()
            known = [ledger.get(sources) for ledger in self._ledgers]
        return [[name for record in records for name in self._names(record)] for records in zip(*known, strict=True)] or [()] * len(
            sources
        )

    def close(self) -> None:
        """Let go of the ledgers, so that a run may change how they are kept; they are opened again when they are needed."""
        with self._using:
            for ledger in self._ledgers or ():
                ledger.close()
            self._ledgers = None

    def _opened(self) -> list[SqliteLedger]:
        """Open what can be read beside a run; the check of a whole ledger, which takes a while, is made once."""
        opened = []
        held = [each for each in find_ledger_files(self._state) if each.shard == self._shard or each.shard.shares_with(self._shard)]
        for each in held[:MAX_QUERY]:
            with suppress(RunError):
                ledger = each.open()
                if ledger.is_exclusive:
                    ledger.close()
                else:
                    opened.append(ledger)
        return opened

    def _names(self, record: Record | None) -> Collection[bytes]:
        result = (record.result or record.former) if record else b""
        return [output.name for output in unpack(result).recorded_outputs if self._is_there(output)] if result else ()

    def _is_there(self, output: OutputRecord) -> bool:
        if self._root is None:
            return True
        try:
            return os.stat(self._root + b"/" + output.name).st_size == output.size  # noqa: PTH116  # a name need not be text
        except OSError:
            return False
