"""The recorded names of outputs: a source whose output was named by an earlier version keeps that name."""

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

MAX_OPEN_LEDGERS = 64  # a run imports the records of further ledgers when it starts


class RecordedNames:
    """Looks up names in those ledgers in the folder ``state`` that may contain images of ``shard``, without changing them.

    Outputs in the folder ``destination`` count only if they still exist with their recorded size: an earlier version may have
    recorded the same name for two sources, and the file belongs to one of them. A ledger that cannot be read counts as empty; the
    run itself reports the problem.
    """

    def __init__(self, state: Path, shard: Shard, destination: Path | None) -> None:
        """Store the parameters; ledgers are opened when first needed."""
        self._state = state
        self._shard = shard
        self._root = None if destination is None else os.fsencode(destination)
        self._ledgers: list[SqliteLedger] | None = None
        self._lock = Lock()

    def __call__(self, sources: Sequence[bytes]) -> list[Collection[bytes]]:
        """Return the names of the outputs of each source, in order; an empty list where there are none."""
        with self._lock:
            if self._ledgers is None:
                self._ledgers = self._open_ledgers()
            by_ledger = [ledger.get(sources) for ledger in self._ledgers]
        names: list[Collection[bytes]] = [
            [name for record in records for name in self._names(record)] for records in zip(*by_ledger, strict=True)
        ]
        return names or [()] * len(sources)

    def close(self) -> None:
        """Close the ledgers, so that a run may change their format; they are reopened when needed."""
        with self._lock:
            for ledger in self._ledgers or ():
                ledger.close()
            self._ledgers = None

    def _open_ledgers(self) -> list[SqliteLedger]:
        """Open the ledgers that can be read during a run; the integrity check of a ledger takes a while and is done once."""
        opened = []
        files = find_ledger_files(self._state)
        overlapping = [each for each in files if each.shard == self._shard or each.shard.shares_with(self._shard)]
        for each in overlapping[:MAX_OPEN_LEDGERS]:
            with suppress(RunError):
                ledger = each.open()
                if ledger.is_exclusive:
                    ledger.close()
                else:
                    opened.append(ledger)
        return opened

    def _names(self, record: Record | None) -> Collection[bytes]:
        result = (record.result or record.former) if record else b""
        return [output.name for output in unpack(result).recorded_outputs if self._exists(output)] if result else ()

    def _exists(self, output: OutputRecord) -> bool:
        if self._root is None:
            return True
        try:
            return os.stat(self._root + b"/" + output.name).st_size == output.size  # noqa: PTH116  # a name need not be text
        except OSError:
            return False
