"""Read the status and the failures of an output from its ledgers."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.shard import Shard
from pixmill.batch.datasets.dataset import home
from pixmill.batch.inspect.other_recipes import made_by_other_recipes, shards_of_other_recipes
from pixmill.batch.item import unpack
from pixmill.batch.outputs.origins import made_by_others
from pixmill.batch.state.combined_ledger import CombinedLedger, LedgerSummary, total
from pixmill.batch.state.ledger_files import LedgerFile, find_ledger_files
from pixmill.batch.state.location import default_state
from pixmill.batch.state.remote.session import FIRST_UPLOAD, fetch_ledgers, run_at_work
from pixmill.batch.state.stored_config import config_of
from pixmill.core.errors import AddressError, ConfigError, ReadError, RunError, error_codes
from pixmill.core.suggestion import did_you_mean
from pixmill.core.text import printable
from pixmill.core.validation import quoted
from pixmill.engine.ledger import FINISHED, LedgerView, RunRecord
from pixmill.engine.task import Counts, Failure, State
from pixmill.storage.address import Address
from pixmill.storage.retry.policy import SICK

Condition = Literal["finished", "running", "stopped", "killed", "not begun"]


class ShardStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one shard: ``killed`` means that its run recorded no end. ``last`` is its last run, if any.

    ``other_recipe``: it was made with another recipe than the shard that ran last. ``active_at``: when its run was last seen to be
    alive, in seconds since the epoch; 0 if it has not begun.
    """

    shard: Shard
    condition: Condition
    counts: Counts = Counts()
    last: RunRecord | None = None
    other_recipe: bool = False
    active_at: float = 0.0


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The total of all ledgers, and the last run of any (``None`` when there was none).

    ``older``: how many of the finished images other versions of libraries made, by the versions that differ from the present ones.
    ``shards``: the status of each part of the split, including those not begun; empty if the output is not split. ``is_whole``: the
    last run of each ledger looked at every image; otherwise those that it did not reach count as an earlier run left them, or not.
    ``other_recipe``: how many of the finished images have outputs of another recipe than that of the last run, which did not reach
    them; ``None`` if that cannot be told.
    """

    counts: Counts
    last: RunRecord | None
    older: dict[str, int] = {}
    shards: tuple[ShardStatus, ...] = ()
    is_whole: bool = True
    other_recipe: int | None = 0


class FailedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image that failed. ``path`` is relative to SRC."""

    path: bytes
    failure: Failure
    attempts: int
    seconds: float


class RejectedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image of which a filter or a step said that no output is to be made. ``path`` is relative to SRC."""

    path: bytes
    reason: str


def find_state_folder(destination: str, state: str | None = None) -> Path:
    """Return the state folder of ``destination``; ``AddressError`` when there was no run."""
    output_root = home(Address.parse(destination))
    folder = Path(state) if state else default_state(output_root)
    if not output_root.local:
        _fetch(output_root, folder)
    if not find_ledger_files(folder):
        if not output_root.local and (sentence := run_at_work(output_root)):
            raise AddressError(f"{printable(destination)}: {sentence}", hint=f"ask again in {FIRST_UPLOAD:.0f} s")
        raise AddressError(
            f"no pixmill run found in {printable(destination)}", hint="give the DST of an earlier run, or its --state folder"
        )
    return folder


def _fetch(output_root: Address, folder: Path) -> None:
    """Fetch the latest ledgers from a store, unless a run that is going on here has them, which may wait for that very store."""
    if any(each.shard == Shard() and each.is_locked() for each in find_ledger_files(folder)):
        return
    try:
        fetch_ledgers(output_root, folder)
    except (ReadError, RunError) as error:
        if error.code not in SICK or not any(each.is_locked() for each in find_ledger_files(folder)):
            raise


@contextmanager
def open_ledgers(destination: str, state: str | None = None) -> Iterator[CombinedLedger]:
    """Yield the ledgers of ``destination``, of an unsplit run or of its shards, read as one; safe during a run."""
    yield CombinedLedger(find_ledger_files(find_state_folder(destination, state)))


def status(ledgers: CombinedLedger) -> Status:
    """Return the counts, the last run, and the status of each shard."""
    summaries = list(ledgers.summaries())
    counts = total(each.counts for each in summaries) if ledgers.is_one_split else ledgers.counts()
    last = max((run for each in summaries for run in each.runs[-1:]), key=lambda run: run.started_at, default=None)
    shards = tuple(shard_statuses(summaries))
    is_whole = all(each.runs[-1].reason == FINISHED for each in summaries if each.runs)
    return Status(
        counts=counts,
        last=last,
        older=made_by_others(ledgers),
        shards=() if {each.shard for each in shards} == {Shard()} else shards,
        is_whole=is_whole,
        other_recipe=made_by_other_recipes(summaries),
    )


def shard_statuses(summaries: Sequence[LedgerSummary]) -> Iterator[ShardStatus]:
    """Yield the status of every part of each split, in order; an unsplit run is the shard 1/1."""
    by_shard = {each.file.shard: each for each in summaries}
    others = shards_of_other_recipes(summaries) if len(summaries) > 1 else frozenset()
    for count in sorted({shard.count for shard in by_shard}):
        for shard in (Shard(index, count) for index in range(1, count + 1)):
            summary = by_shard.get(shard)
            if summary is None:
                begun = LedgerFile(
                    shard, summaries[0].file.base / shard.folder
                ).is_running()  # it has no ledger yet, or no copy here
                yield ShardStatus(shard=shard, condition="running" if begun else "not begun")
            else:
                last = summary.runs[-1] if summary.runs else None
                yield ShardStatus(
                    shard=shard,
                    condition=_condition(summary, last),
                    counts=summary.counts,
                    last=last,
                    other_recipe=shard in others,
                    active_at=_active_at(summary.file, last),
                )


def _active_at(file: LedgerFile, last: RunRecord | None) -> float:
    """Return when the run of a ledger was last seen to be alive: by its lock, its end, its heartbeat in a store, or its writing."""
    if file.is_locked():
        return time.time()
    if last is not None and last.ended_at:
        return last.ended_at
    heartbeat = file.last_heartbeat()
    return heartbeat if last is not None and heartbeat >= last.started_at else file.written_at()


def _condition(summary: LedgerSummary, last: RunRecord | None) -> Condition:
    if last is not None and last.ended_at and not summary.file.is_locked():
        return "finished" if last.reason == FINISHED else "stopped"
    if summary.file.is_running():
        return "running"
    return "killed" if last is not None else "not begun"


def failures(ledger: LedgerView, *, code: str | None = None) -> Iterator[FailedImage]:
    """Yield the failed images in order of path within each shard, all or only those with ``code``."""
    for record in ledger.records(State.FAILED):
        failure = record.failure
        if failure is not None and code in (None, failure.code):
            yield FailedImage(path=record.key, failure=failure, attempts=record.attempts, seconds=record.seconds)


def rejected(ledger: LedgerView) -> Iterator[RejectedImage]:
    """Yield the images that a filter or a step has rejected, in order of path within each shard."""
    for record in ledger.records(State.DONE):
        if reason := unpack(record.result).rejected:
            yield RejectedImage(path=record.key, reason=reason)


def check_code(ledger: LedgerView, code: str | None) -> None:
    """Raise ``ConfigError`` if ``code`` is neither an error code nor in ``ledger``, where a plugin may have put its own."""
    known = set(error_codes())
    if code is not None and code not in known and not any(failures(ledger, code=code)):
        raise ConfigError(
            f"unknown error code {quoted(code)}{did_you_mean(code, sorted(known))}", hint="pixmill explain lists them"
        )


def reset_failures(ledgers: CombinedLedger, *, code: str | None = None) -> int:
    """Make failed images pending again, all or only those with ``code``; return how many. ``RunError`` during a run."""
    failed = [failed.path for failed in failures(ledgers, code=code)]
    ledgers.reset(failed)
    return len(failed)


def last_config(ledgers: CombinedLedger) -> RunConfig:
    """Return the configuration of the last run; ``ConfigError`` when there was none."""
    last = max(ledgers.runs(), key=lambda run: run.started_at, default=None)
    if last is None or not last.metadata:
        raise ConfigError("the ledger contains no run that can be repeated")
    return config_of(last)
