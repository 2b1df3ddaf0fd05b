"""Everything a report is made of, collected from the state of an output: the ledger, the account of the last run, pictures."""

import json
import random
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.config.foreign_code import Code, steps_of
from pixmill.batch.config.models import Selection
from pixmill.batch.report.data.run_info import RunInfo
from pixmill.batch.report.data.shard_merge import last_run_info
from pixmill.batch.report.data.statistics import LedgerStatistics
from pixmill.batch.report.previews.messages import PreviewOptions
from pixmill.batch.report.previews.previews import SHOWN, Previews, make_previews
from pixmill.batch.source import SourceRequest, open_source
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.core.errors import ConfigError, PixmillError
from pixmill.engine.ledger import LedgerView, RunRecord
from pixmill.imaging.recipe import Recipe
from pixmill.storage.address import Address

SEED = 2004  # the same ledger gives the same report
LARGEST = 256_000_000  # bytes of a file that is shown
RUNS = 1000  # the youngest ones are known; a watched folder has many


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an output. ``account`` is of the last run that worked on images, ``None`` where none was kept.

    ``run`` is that run, or of several shards all of them together; ``recipe`` is plain data, of the last run. ``made_at`` is in
    seconds since the epoch.
    """

    source: str
    destination: str
    recipe: dict[str, Any]
    runs: tuple[RunRecord, ...]
    run: RunRecord | None
    run_info: RunInfo | None
    findings: LedgerStatistics
    pictures: Previews
    made_at: float


def collect(
    ledger: LedgerView, *, destination: str, state: Path, check: int, allowed: Collection[Code] = (), now: float
) -> ReportData:
    """Read everything once, and make the pictures. ``check`` is how many images to measure the similarity of.

    That runs the recipe which the ledger names, and with it code only as far as it is among ``allowed``.
    """
    runs = tuple(ledger.runs())[-RUNS:]
    account, run = last_run_info(ledger, state)
    asked: dict[str, Any] = json.loads(runs[-1].metadata) if runs and runs[-1].metadata else {}
    findings = LedgerStatistics(run.started_at if run else 0.0, pictures=max(SHOWN, check), chance=random.Random(SEED))  # noqa: S311  # a sample, no secret
    findings.add(ledger.records())
    return ReportData(
        source=str(asked.get("source", "")),
        destination=destination,
        recipe=asked.get("recipe", {}),
        runs=runs,
        run=run,
        run_info=account,
        findings=findings,
        pictures=_pictures(asked, destination, state, findings, check if _may_run(asked, allowed) else 0),
        made_at=now,
    )


def _may_run(asked: dict[str, Any], allowed: Collection[Code]) -> bool:
    try:
        return set(steps_of(Recipe.from_builtins(asked["recipe"]))) <= set(allowed)
    except (KeyError, ConfigError):  # of another version, or of nobody
        return False


def _pictures(asked: dict[str, Any], destination: str, state: Path, findings: LedgerStatistics, check: int) -> Previews:
    sample = findings.sample.members
    if not asked or not sample:
        return Previews()
    selection = Selection.from_builtins(asked.get("selection", {}))
    try:
        source = open_source(SourceRequest(address=Address.parse(str(asked["source"])), selection=selection))
    except PixmillError:  # it is gone, or may not be read any more: the numbers are still there
        return Previews()
    from pixmill.batch.datasets.extract import as_files  # noqa: PLC0415  # 20 modules that the live page does without

    former, names = str(asked.get("destination", destination)), [picture.output for picture in sample]
    with as_files(destination, former=former, held=find_ledger_files(state), names=names, largest=LARGEST) as place:
        options = PreviewOptions(
            source=source.address.url,
            destination=place,
            recipe=asked["recipe"] if check else {},
            max_bytes=LARGEST,
            follow_symlinks=selection.follow_symlinks,
        )
        return make_previews(random.Random(SEED).sample(sample, len(sample)), options, check=check)  # noqa: S311  # as above
