"""What the ledgers of an output hold: its state and its failures."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.shard import Shard
from pixmill.batch.datasets.dataset import home
from pixmill.batch.state.combined_ledger import CombinedLedger, LedgerSummary, total
from pixmill.batch.state.ledger_files import LedgerFile, find_ledger_files
from pixmill.batch.state.location import default_state
from pixmill.batch.state.remote.session import fetch_ledgers
from pixmill.core.errors import AddressError, ConfigError
from pixmill.core.text import printable
from pixmill.engine.ledger import FINISHED, LedgerView, RunRecord
from pixmill.engine.task import Counts, Failure, State
from pixmill.storage.address import Address

Condition = Literal["finished", "running", "stopped", "killed", "not begun"]


class ShardStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far one shard is: ``killed`` is a run that ended without a word. ``last`` is its last run, ``None`` before the first."""

    shard: Shard
    condition: Condition
    counts: Counts = Counts()
    last: RunRecord | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledgers hold together, and the last run of any (``None`` when there was none).

    ``shards``: each part of the split on its own, also one that has not begun; empty where there is none.
    """

    counts: Counts
    last: RunRecord | None
    shards: tuple[ShardStatus, ...] = ()


class FailedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image that failed. ``path`` is relative to SRC."""

    path: bytes
    failure: Failure
    attempts: int
    seconds: float


def find_state_folder(destination: str, state: str | None = None) -> Path:
    """Return where the state of ``destination`` is; ``AddressError`` when no run has been there."""
    place = home(Address.parse(destination))
    folder = Path(state) if state else default_state(place)
    if not place.local:
        fetch_ledgers(place, folder)
    if not find_ledger_files(folder):
        raise AddressError(
            f"{printable(destination)} holds no run of pixmill", hint="name the DST of an earlier run, or its --state folder"
        )
    return folder


@contextmanager
def open_ledgers(destination: str, state: str | None = None) -> Iterator[CombinedLedger]:
    """Give the ledgers of ``destination``, one or those of its shards, to be read as one; runs may be going on meanwhile."""
    yield CombinedLedger(find_ledger_files(find_state_folder(destination, state)))


def status(ledgers: CombinedLedger) -> Status:
    """Return the counts, the last run, and what each shard is at."""
    standings = list(ledgers.summaries())
    counts = total(each.counts for each in standings) if ledgers.is_one_split else ledgers.counts()
    last = max((run for each in standings for run in each.runs[-1:]), key=lambda run: run.started_at, default=None)
    return Status(counts=counts, last=last, shards=tuple(_shards(standings)))


def _shards(standings: Sequence[LedgerSummary]) -> Iterator[ShardStatus]:
    """Yield every part of each split, in order."""
    known = {each.file.shard: each for each in standings}
    for count in sorted({shard.count for shard in known}):
        parts = [Shard(index, count) for index in range(1, count + 1)] if len(known) > 1 or count > 1 else []
        for shard in parts:
            standing = known.get(shard)
            if standing is None:
                yield ShardStatus(shard=shard, condition="not begun")
            else:
                last = standing.runs[-1] if standing.runs else None
                yield ShardStatus(shard=shard, condition=_condition(standing, last), counts=standing.counts, last=last)


def _condition(standing: LedgerSummary, last: RunRecord | None) -> Condition:
    if last is not None and last.ended_at and not standing.file.is_locked():
        return "finished" if last.reason == FINISHED else "stopped"
    if standing.file.is_running():
        return "running"
    return "killed" if last is not None else "not begun"


def failures(ledger: LedgerView, *, code: str | None = None) -> Iterator[FailedImage]:
    """Yield the failed images in order of path, within each shard, all or those with ``code``."""
    for record in ledger.records(State.FAILED):
        failure = record.failure
        if failure is not None and code in (None, failure.code):
            yield FailedImage(path=record.key, failure=failure, attempts=record.attempts, seconds=record.seconds)


def reset_failures(ledgers: CombinedLedger, *, code: str | None = None) -> int:
    """Make failed images pending again, all or those with ``code``; return how many. ``RunError`` while a run is going on."""
    failed = [failed.path for failed in failures(ledgers, code=code)]
    ledgers.reset(failed)
    return len(failed)


def last_config(ledgers: CombinedLedger) -> RunConfig:
    """Return the configuration of the last run; ``ConfigError`` when there was none."""
    last = max(ledgers.runs(), key=lambda run: run.started_at, default=None)
    if last is None or not last.metadata:
        raise ConfigError("the ledger holds no run that could be repeated")
    return _config(last)


def last_configs(ledgers: CombinedLedger) -> list[tuple[LedgerFile, RunConfig]]:
    """Return each ledger that knows a run, with the configuration of its last; ``ConfigError`` when none does."""
    last_config(ledgers)
    return [(each.file, _config(each.runs[-1])) for each in ledgers.summaries() if each.runs and each.runs[-1].metadata]


def _config(run: RunRecord) -> RunConfig:
    """Return what ``run`` was asked. Nothing is imported for it: a ledger is data, whoever wrote it."""
    try:
        return RunConfig.from_builtins(json.loads(run.metadata))
    except ValueError:
        raise ConfigError(
            "the configuration of the last run cannot be read", hint="run it again as it was first asked for"
        ) from None


def unfinished(ledgers: CombinedLedger) -> Iterator[LedgerFile]:
    """Yield the ledgers of shards that have something left to do; the one of a whole run always, since files may have come."""
    for each in ledgers.summaries():
        has_ended = each.runs and each.runs[-1].reason == FINISHED
        if each.file.shard.count == 1 or each.counts.pending or not has_ended:
            yield each.file
