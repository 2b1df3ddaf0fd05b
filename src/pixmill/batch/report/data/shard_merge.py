"""Merge the run infos and runs of several shards, which ran side by side, into one."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

from msgspec.structs import replace

from pixmill.batch.config.shard import Shard
from pixmill.batch.report.data.run_info import RunInfo, last_work
from pixmill.batch.state.combined_ledger import total
from pixmill.batch.state.ledger_files import find_ledger_files
from pixmill.engine.ledger import FINISHED, LedgerView, RunRecord
from pixmill.engine.observability.histogram import HistogramSnapshot
from pixmill.engine.observability.metrics import EXAMPLES, SLOWEST, FailureKind, MetricsSnapshot
from pixmill.engine.task import Counts


def last_run_info(ledger: LedgerView, state: Path) -> tuple[RunInfo | None, RunRecord | None]:
    """Return the run info of the last run that worked on images, and that run; for several shards, those of all shards merged.

    ``None`` stands for a run info that was not written, and for a run that does not exist.
    """
    folders = [each.folder for each in find_ledger_files(state) if each.shard.count > 1]
    if len(folders) < 2:  # noqa: PLR2004  # no merge for one shard
        return _of_one(ledger, folders[0] if folders else state)
    runs = _last_of_each(ledger.runs())
    infos = [run_info for run_info in map(last_work, folders) if run_info]
    return (merge_runs(infos) if infos else None), (_spanning(runs) if runs else None)


def run_name(run: RunRecord | None) -> str:
    """Return the name of ``run`` in a report."""
    if run is None or not run.number:
        return "All shards"
    shard = _shard(run)
    return f"Run {run.number} of shard {shard}" if shard else f"Run {run.number}"


def merge_runs(infos: Sequence[RunInfo]) -> RunInfo:
    """Return one run info for runs side by side; the machine is that of the first."""
    return replace(infos[0], snapshot=reduce(_merge_two, (run_info.snapshot for run_info in infos)))


def _of_one(ledger: LedgerView, state: Path) -> tuple[RunInfo | None, RunRecord | None]:
    runs = list(ledger.runs())
    run_info = last_work(state)
    run = next((run for run in reversed(runs) if run_info is not None and run.number == run_info.snapshot.run), None)
    return run_info, run or (runs[-1] if runs else None)


def _last_of_each(runs: Iterable[RunRecord]) -> list[RunRecord]:
    """Return the last run of each shard."""
    return list({_shard(run): run for run in runs}.values())


def _shard(run: RunRecord) -> str:
    """Return the shard that ``run`` worked on; empty for a run without shards."""
    metadata = json.loads(run.metadata) if run.metadata else {}
    shard = str(metadata.get("selection", {}).get("shard", ""))
    return "" if shard == str(Shard()) else shard


def _spanning(runs: Sequence[RunRecord]) -> RunRecord:
    """Return one record that begins with the first of ``runs`` and ends with the last."""
    has_ended = all(run.ended_at for run in runs)
    return RunRecord(
        number=0,
        started_at=min(run.started_at for run in runs),
        ended_at=max(run.ended_at for run in runs) if has_ended else 0.0,
        reason=next((run.reason for run in runs if run.reason != FINISHED), FINISHED),
        counts=replace(total(run.counts for run in runs), skipped=sum(run.counts.skipped for run in runs)),
        metadata=runs[-1].metadata,
    )


def _merge_two(one: MetricsSnapshot, two: MetricsSnapshot) -> MetricsSnapshot:
    """Return the merged metrics of two runs on different images. ``seconds`` is the average over their workers."""
    workers = one.workers + two.workers
    worker_seconds = one.workers * one.seconds + two.workers * two.seconds
    counts = _sum(one.counts, two.counts)
    return replace(
        one,
        run=0,
        workers=workers,
        seconds=worker_seconds / workers if workers else max(one.seconds, two.seconds),
        found=counts.found,
        done=counts.done,
        skipped=counts.skipped,
        failed=counts.failed,
        remembered=one.remembered + two.remembered,
        retries=one.retries + two.retries,
        workers_lost=one.workers_lost + two.workers_lost,
        nodes_left_out=one.nodes_left_out + two.nodes_left_out,
        node_failures=dict(Counter(one.node_failures) + Counter(two.node_failures)),
        rate=one.rate + two.rate,
        measures=dict(Counter(one.measures) + Counter(two.measures)),
        left_alone=dict(Counter(one.left_alone) + Counter(two.left_alone)),
        left_alone_keys={reason: _keys(one, two, reason) for reason in {**one.left_alone_keys, **two.left_alone_keys}},
        failures={code: _kinds(one, two, code) for code in {**one.failures, **two.failures}},
        task=_timings(one.task, two.task),
        stages={name: _timings(one.stages.get(name), two.stages.get(name)) for name in {**one.stages, **two.stages}},
        slowest=tuple(sorted((*one.slowest, *two.slowest), key=lambda slow: -slow.seconds)[:SLOWEST]),
        finished_at=max(one.finished_at, two.finished_at),
        reason=one.reason if one.reason != FINISHED else two.reason,
    )


def _sum(one: Counts, two: Counts) -> Counts:
    return replace(total([one, two]), skipped=one.skipped + two.skipped)


def _kinds(one: MetricsSnapshot, two: MetricsSnapshot, code: str) -> FailureKind:
    kinds = [snapshot.failures.get(code, FailureKind()) for snapshot in (one, two)]
    return FailureKind(
        count=sum(kind.count for kind in kinds),
        keys=tuple(key for kind in kinds for key in kind.keys)[:EXAMPLES],
        kinds=dict(sum((Counter(kind.kinds) for kind in kinds), Counter())),
    )


def _keys(one: MetricsSnapshot, two: MetricsSnapshot, reason: str) -> tuple[bytes, ...]:
    return (*one.left_alone_keys.get(reason, ()), *two.left_alone_keys.get(reason, ()))[:EXAMPLES]


def _timings(one: HistogramSnapshot | None, two: HistogramSnapshot | None) -> HistogramSnapshot:
    if one is None or two is None:
        return one or two or HistogramSnapshot()
    return HistogramSnapshot(
        count=one.count + two.count,
        total=one.total + two.total,
        longest=max(one.longest, two.longest),
        buckets=tuple(map(sum, zip(one.buckets, two.buckets, strict=True))),
    )
