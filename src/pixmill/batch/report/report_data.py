"""All data of a report, collected from the state of an output: the ledger, the run info of the last run, the previews."""

import json
import random
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from pixmill.batch.composition import open_sources
from pixmill.batch.config.foreign_code import Code, steps_of
from pixmill.batch.config.models import Selection
from pixmill.batch.inspect.status import find_state_folder
from pixmill.batch.outputs.origins import by_difference
from pixmill.batch.report.absolute_paths import absolute, absolute_arguments
from pixmill.batch.report.data.run_info import RunInfo, left_alone
from pixmill.batch.report.data.shard_merge import last_run_info
from pixmill.batch.report.data.statistics import LedgerStatistics
from pixmill.batch.report.previews.messages import PreviewOptions
from pixmill.batch.report.previews.previews import SAMPLE_SIZE, SIDE, Previews, make_previews
from pixmill.batch.source import SourceRequest
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.core.errors import ConfigError, PixmillError
from pixmill.engine.ledger import LedgerView, RunRecord
from pixmill.imaging.recipe import Recipe
from pixmill.imaging.version import toolset
from pixmill.storage.address import Address

SEED = 2004  # fixed, so that the same ledger gives the same report
MAX_IMAGE_BYTES = 256_000_000  # larger files get no preview
MAX_RUNS = 1000  # only the newest are loaded; a watched folder has many


class ReportData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a report. ``run_info`` is that of the last run that worked on images, ``None`` if it was not written.

    ``arguments`` are those with which a command finds the ledger, from any folder.

    ``run`` is that run, or the merged runs of several shards; ``recipe`` is plain data, from the last run. ``made_at`` is in
    seconds since the epoch. ``output_changed`` counts the images that the last run skipped because of a changed output; for several
    shards it is 0. ``changed_examples`` are the first few of them. ``older`` counts the images that other versions of libraries
    made, by the versions that differ.
    """

    source: str
    destination: str
    arguments: str
    recipe: dict[str, Any]
    runs: tuple[RunRecord, ...]
    run: RunRecord | None
    run_info: RunInfo | None
    statistics: LedgerStatistics
    previews: Previews
    made_at: float
    output_changed: int = 0
    changed_examples: tuple[bytes, ...] = ()
    older: dict[str, int] = {}


def collect(
    ledger: LedgerView, *, destination: str, state: str | None, check: int, allowed: Collection[Code] = (), now: float
) -> ReportData:
    """Read everything once, and make the previews. ``check`` is the number of images whose similarity is measured.

    ``state`` is the folder of the ledger, ``None`` for the default.
    Measuring it runs the recipe in the ledger, but only if all foreign code in the recipe is among ``allowed``.
    """
    runs = tuple(ledger.runs())[-MAX_RUNS:]
    folder = find_state_folder(destination, state)
    run_info, run = last_run_info(ledger, folder)
    metadata: dict[str, Any] = json.loads(runs[-1].metadata) if runs and runs[-1].metadata else {}
    statistics = LedgerStatistics(run.started_at if run else 0.0, sample_size=max(SAMPLE_SIZE, check), rng=random.Random(SEED))  # noqa: S311  # for sampling, not a secret
    statistics.add(ledger.records())
    changed, changed_examples = left_alone(folder, runs[-1].number, OUTPUT_CHANGED) if runs else (0, ())
    return ReportData(
        source=", ".join(_sources(metadata)),
        destination=absolute(destination),
        arguments=absolute_arguments(destination, state),
        recipe=metadata.get("recipe", {}),
        runs=runs,
        run=run,
        run_info=run_info,
        statistics=statistics,
        previews=_previews(metadata, destination, folder, statistics, check if _may_run(metadata, allowed) else 0),
        made_at=now,
        output_changed=changed,
        changed_examples=changed_examples,
        older=by_difference(statistics.toolsets, ledger.toolsets(), toolset()),
    )


def _sources(metadata: dict[str, Any]) -> list[str]:
    source = metadata.get("source", "")
    return list(map(str, source)) if isinstance(source, list) else [str(source)]


def _may_run(metadata: dict[str, Any], allowed: Collection[Code]) -> bool:
    try:
        return set(steps_of(Recipe.from_builtins(metadata["recipe"]))) <= set(allowed)
    except (KeyError, ConfigError):  # written by another version, or missing
        return False


def _previews(metadata: dict[str, Any], destination: str, state: Path, statistics: LedgerStatistics, check: int) -> Previews:
    sample = statistics.sample.members
    if not metadata or not sample:
        return Previews()
    selection = Selection.from_builtins(metadata.get("selection", {}))
    try:
        sources = _sources(metadata)
        source = open_sources(sources, SourceRequest(address=Address.parse(sources[0]), selection=selection))
    except PixmillError:  # the source is gone or unreadable: the numbers are still available
        return Previews()
    from pixmill.batch.datasets.extract import as_files  # noqa: PLC0415  # 20 modules that the live page does not need

    former, names = str(metadata.get("destination", destination)), [image.output for image in sample]
    with as_files(
        destination, former=former, ledger_files=find_ledger_files(state), names=names, max_bytes=MAX_IMAGE_BYTES
    ) as outputs:
        options = PreviewOptions(
            source=source.address.url,
            destination=outputs,
            recipe=metadata["recipe"] if check else {},
            max_bytes=MAX_IMAGE_BYTES,
            side=SIDE,
            follow_symlinks=selection.follow_symlinks,
            prefix=CombinedLedger(find_ledger_files(state)).sources().get(source.places[0], b""),
        )
        return make_previews(random.Random(SEED).sample(sample, len(sample)), options, check=check)  # noqa: S311  # as above
