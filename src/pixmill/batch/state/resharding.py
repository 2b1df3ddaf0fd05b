"""Resharding: when an output is split into another number of shards, the new shards import the records of the old ones.

No work is lost or repeated. A shard refuses to start while an overlapping shard of another split is running.
"""

import logging
from pathlib import Path

from pixmill.batch.config.fingerprint import recipe_fingerprint
from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.shard import Shard
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.ledger_files import LOCK, LedgerFile, find_ledger_files
from pixmill.batch.state.lock import last_owner
from pixmill.batch.state.source_keys import SourceKeys
from pixmill.core.errors import ConfigError, RunError
from pixmill.core.humanize import plural
from pixmill.engine.ledger import Ledger, LedgerView, RunRecord


def overlapping_ledgers(shard: Shard, state: Path) -> list[LedgerFile]:
    """Return the ledgers of other splits that may contain images of ``shard``, whose own ledger is in the folder ``state``."""
    base = state.parent if shard.count > 1 else state
    return [each for each in find_ledger_files(base) if each.shard.count != shard.count and each.shard.shares_with(shard)]


def check_not_running(shard: Shard, files: list[LedgerFile]) -> None:
    """Raise ``RunError`` when a run holds one of the ledgers ``files``. The caller holds the lock of ``shard``."""
    for each in files:
        if each.is_locked():
            raise RunError(
                f"shard {each.shard} is being run by another process, and has images of shard {shard}",
                code="locked",
                hint="wait for it, or stop it; only shards of the same split can run at the same time",
            )


def recipe_of_shard(config: RunConfig) -> str:
    """Return what must be the same for all shards that run at the same time; empty for an unsplit run."""
    if config.selection.shard.count == 1:
        return ""
    division = "".join(f" {key}" for key in config.selection.shard_at)
    return f"{recipe_fingerprint(config).hex()} {config.placement.name.text}{division}"


def check_same_recipe(shard: Shard, state: Path, recipe: str) -> None:
    """Raise ``ConfigError`` when another shard of this split is being run with another ``recipe``.

    The caller holds the lock of ``shard``, which says its recipe, so that of two shards that start at once at least one is refused.
    """
    for folder in state.parent.glob(f"shard-*-of-{shard.count}") if recipe else ():
        other = Shard.of_folder(folder.name)
        owner = last_owner(folder, LOCK) if other and other != shard else None
        if other and owner and owner.recipe not in ("", recipe) and LedgerFile(other, folder).is_locked():
            raise other_recipe(other, str(owner))


def other_recipe(shard: Shard, owner: str) -> ConfigError:
    """Return the error for a run beside ``shard``, which ``owner`` is running with another recipe."""
    return ConfigError(
        f"shard {shard} of this output is being run with another recipe ({owner})",
        hint="give all shards the same options; to change the recipe, stop them all first",
    )


def newer_ledgers(ledger: LedgerView, files: list[LedgerFile]) -> list[LedgerFile]:
    """Return those of ``files`` whose last run began after that of ``ledger``."""
    last_start = max((run.started_at for run in ledger.runs()), default=0.0)
    return [each for each in files if (last := _last_run(each)) is not None and last.started_at > last_start]


def import_from_other_split(ledger: Ledger, shard: Shard, files: list[LedgerFile]) -> RunRecord | None:
    """Import into ``ledger`` the records of ``files`` about images of ``shard``, from runs after its own last run.

    Returns the last run of the imported ledgers, ``None`` if none is newer.
    """
    newer = newer_ledgers(ledger, files)
    if not newer:
        return None
    combined = CombinedLedger(newer)
    keys = SourceKeys(prefixes=combined.sources())
    for versions in combined.toolsets().values():
        ledger.add_toolset(versions)
    imported = ledger.import_records(record for record in combined.records() if shard.takes(keys.path(record.key)))
    ledger.add_sources({**keys.prefixes, **ledger.sources()})
    sources = ", ".join(_name(each.shard) for each in combined.ledger_files)
    logging.getLogger(__name__).warning("%s continues with %s recorded by %s", _name(shard), plural(imported, "image"), sources)
    return max(filter(None, map(_last_run, combined.ledger_files)), key=lambda run: run.started_at)


def _name(shard: Shard) -> str:
    return "the unsplit run" if shard.count == 1 else f"shard {shard}"


def _last_run(file: LedgerFile) -> RunRecord | None:
    return max(CombinedLedger([file]).runs(), key=lambda run: run.started_at, default=None)
