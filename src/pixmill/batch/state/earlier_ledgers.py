"""The ledgers that earlier runs of an output left, opened to look something up before and while another run works."""

from contextlib import suppress
from pathlib import Path
from threading import RLock

from pixmill.batch.config.shard import Shard
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger

MAX_OPEN = 64  # in a larger split, what other shards know is not seen


class EarlierLedgers:
    """The ledgers in the folder ``state``, that of ``shard`` first. One that cannot be read is left out; the run reports why."""

    def __init__(self, state: Path, shard: Shard) -> None:
        """Store the parameters; ledgers are opened when first needed."""
        self.lock = RLock()
        self._state = state
        self._shard = shard
        self._ledgers: list[SqliteLedger] | None = None

    def opened(self) -> list[SqliteLedger]:
        """Return the ledgers. Hold ``lock`` while using them; they are not checked as a whole, which a run does with its own."""
        if self._ledgers is None:
            self._ledgers = []
            for each in sorted(find_ledger_files(self._state), key=lambda each: each.shard != self._shard)[:MAX_OPEN]:
                with suppress(RunError):
                    ledger = each.open(is_checked=False)
                    if ledger.is_exclusive:
                        ledger.close()
                    else:
                        self._ledgers.append(ledger)
        return self._ledgers

    def close(self) -> None:
        """Close the ledgers, so that a run may change their format; they are reopened when needed."""
        with self.lock:
            for ledger in self._ledgers or ():
                ledger.close()
            self._ledgers = None
