"""The status of an output in Prometheus' text format: sums over all shards, and which of them no longer work."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from prometheus_client.core import GaugeMetricFamily

from pixmill.batch.inspect.status import Condition, ShardStatus, failures, shard_statuses, status
from pixmill.batch.state.combined_ledger import CombinedLedger
from pixmill.engine.observability.exporters.prometheus import text_of
from pixmill.engine.task import Counts


def status_metrics(ledgers: CombinedLedger) -> str:
    """Return the metrics of all ledgers. They are gauges: a ledger may be reset, and a split may be replaced by another."""
    counts = status(ledgers).counts
    codes = Counter(failed.failure.code for failed in failures(ledgers))
    shards = list(shard_statuses(list(ledgers.summaries())))
    return text_of([*_totals(counts, codes, shards), *_by_shard(shards)])


def _totals(counts: Counts, codes: Counter[str], shards: Sequence[ShardStatus]) -> Iterator[GaugeMetricFamily]:
    images = GaugeMetricFamily("pixmill_ledger_images", "images in the ledgers of all shards, by state", labels=["state"])
    for state, count in _states(counts).items():
        images.add_metric([state], count)
    yield images
    failed = GaugeMetricFamily("pixmill_ledger_failures", "failed images in the ledgers of all shards, by code", labels=["code"])
    for code, count in sorted(codes.items()):
        failed.add_metric([code], count)
    yield failed
    number = Counter(each.condition for each in shards)
    conditions = GaugeMetricFamily("pixmill_shards", "shards of the output, by condition", labels=["condition"])
    for condition in get_args(Condition):
        conditions.add_metric([_label(condition)], number[condition])
    yield conditions


def _by_shard(shards: Sequence[ShardStatus]) -> Iterator[GaugeMetricFamily]:
    images = GaugeMetricFamily("pixmill_shard_images", "images in the ledger of a shard, by state", labels=["shard", "state"])
    conditions = GaugeMetricFamily(
        "pixmill_shard_condition", "1 for the condition that a shard is in, 0 for the others", labels=["shard", "condition"]
    )
    active = GaugeMetricFamily(
        "pixmill_shard_last_activity_timestamp_seconds",
        "time when the run of a shard was last seen to be alive, since the epoch",
        labels=["shard"],
    )
    for each in shards:
        for state, count in _states(each.counts).items():
            images.add_metric([str(each.shard), state], count)
        for condition in get_args(Condition):
            conditions.add_metric([str(each.shard), _label(condition)], condition == each.condition)
        if each.active_at:
            active.add_metric([str(each.shard)], each.active_at)
    yield from (images, conditions, active)


def _states(counts: Counts) -> dict[str, int]:
    return {"done": counts.done, "failed": counts.failed, "pending": counts.pending}


def _label(condition: Condition) -> str:
    return condition.replace(" ", "_")
