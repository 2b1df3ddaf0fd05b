"""When an output is split into another number of shards: what the shards before knew goes over to those that come after.

No work is lost and none done twice. A shard refuses to begin while one of another split runs that has images of its own.
"""

import logging
from pathlib import Path

from pixmill.batch.config.shard import Shard
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.ledger_files import LedgerFile, find_ledger_files
from pixmill.core.errors import RunError
from pixmill.core.humanize import plural
from pixmill.engine.ledger import Ledger, RunRecord


def overlapping_ledgers(shard: Shard, state: Path) -> list[LedgerFile]:
    """Return the ledgers of other splits that may know images of ``shard``, whose own ledger is in the folder ``state``."""
    base = state.parent if shard.count > 1 else state
    return [each for each in find_ledger_files(base) if each.shard.count != shard.count and each.shard.shares_with(shard)]


def check_not_running(shard: Shard, held: list[LedgerFile]) -> None:
    """Raise ``RunError`` when a run has one of these ledgers now. To be called with the lock of one's own taken."""
    for each in held:
        if each.is_locked():
            raise RunError(
                f"shard {each.shard} is being run by another process, and has images of shard {shard}",
                code="locked",
                hint="wait for it, or stop it; shards run side by side when they are of one split",
            )


def import_from_other_split(ledger: Ledger, shard: Shard, held: list[LedgerFile]) -> RunRecord | None:
    """Take into ``ledger`` what ``held`` know of the images of ``shard`` and have learned since its own last run.

    Returns the last run of those that had something to say, ``None`` where nothing is new.
    """
    began = max((run.started_at for run in ledger.runs()), default=0.0)
    heard = [each for each in held if (last := _last(each)) is not None and last.started_at > began]
    if not heard:
        return None
    known = CombinedLedger(heard)
    adopted = ledger.import_records(record for record in known.records() if shard.takes(record.key))
    sources = ", ".join(_name(each.shard) for each in known.ledger_files)
    logging.getLogger(__name__).warning("%s goes on with %s known to %s", _name(shard), plural(adopted, "image"), sources)
    return max(filter(None, map(_last, known.ledger_files)), key=lambda run: run.started_at)


def _name(shard: Shard) -> str:
    return "the whole" if shard.count == 1 else f"shard {shard}"


def _last(holding: LedgerFile) -> RunRecord | None:
    return max(CombinedLedger([holding]).runs(), key=lambda run: run.started_at, default=None)
