"""Accounts of shards, added up."""

from pixmill.batch.report.data.run_info import RunInfo
from pixmill.batch.report.data.shard_merge import merge_runs
from pixmill.engine.observability.histogram import HistogramSnapshot
from pixmill.engine.observability.metrics import FailureKind, MetricsSnapshot, SlowTask


def snapshot(*, workers, seconds, done, longest):
    return MetricsSnapshot(
        run=3,
        workers=workers,
        seconds=seconds,
        found=done + 1,
        done=done,
        failed=1,
        rate=done / seconds,
        measures={"bytes_in": 10 * done},
        failures={"truncated": FailureKind(count=1, keys=(b"%d" % done,))},
        task=HistogramSnapshot(count=done, total=float(done), longest=longest, buckets=(done,) + (0,) * 18),
        stages={"decode": HistogramSnapshot(count=done, total=1.0, longest=longest, buckets=(done,) + (0,) * 18)},
        slowest=(SlowTask(key=b"%d" % done, seconds=longest),),
        reason="finished",
    )


def test_numbers_add_up_and_the_time_is_what_workers_had_on_average():
    kept = [
        RunInfo(version="1", snapshot=snapshot(workers=2, seconds=10.0, done=20, longest=1.0)),
        RunInfo(version="1", snapshot=snapshot(workers=6, seconds=30.0, done=90, longest=2.0)),
    ]
    both = merge_runs(kept).snapshot
    assert (both.found, both.done, both.failed, both.workers) == (112, 110, 2, 8)
    assert both.workers * both.seconds == 2 * 10.0 + 6 * 30.0
    assert both.measures == {"bytes_in": 1100}
    assert both.failures["truncated"] == FailureKind(count=2, keys=(b"20", b"90"))
    assert (both.task.count, both.task.total, both.task.longest, both.task.buckets[0]) == (110, 110.0, 2.0, 110)
    assert both.stages["decode"].count == 110
    assert [slow.key for slow in both.slowest] == [b"90", b"20"]
    assert both.counts.found == both.found


def test_one_shard_that_was_stopped_is_what_is_said_of_all():
    stopped = MetricsSnapshot(reason="SIGTERM", workers=1)
    finished = MetricsSnapshot(reason="finished", workers=1)
    for order in ((stopped, finished), (finished, stopped)):
        assert merge_runs([RunInfo(snapshot=each) for each in order]).snapshot.reason == "SIGTERM"
