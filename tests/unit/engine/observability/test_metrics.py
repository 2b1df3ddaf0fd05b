import pytest

from pixmill.engine.events import (
    AttemptStarted,
    NodeRefused,
    NodeSuspended,
    RunEnded,
    RunStarted,
    SourceExhausted,
    TaskFinished,
    TaskFound,
    TaskRetried,
    WorkerLost,
    WorkersSeen,
)
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.observability.metrics import FailureKind, Metrics, MetricsSnapshot
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, Skipped, Task


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.25

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metrics(clock):
    metrics = Metrics(clock=clock)
    metrics.on_event(RunStarted(at=0, run=7, workers=3))
    return metrics


def task(key):
    return Task(bytes(16), key)


def found(metrics, *keys):
    for key in keys:
        metrics.on_event(TaskFound(at=0, task=task(key)))


def done(metrics, key=b"a", **facts):
    metrics.on_event(TaskFinished(at=0, outcome=Done(task=task(key), **facts)))


def failed(metrics, key, code="decode", **facts):
    failure = Failure(code=code, stage="decode", message="x")
    metrics.on_event(TaskFinished(at=0, outcome=Failed(task=task(key), failure=failure, **facts)))


def test_every_task_is_counted_once(metrics):
    found(metrics, b"a", b"b", b"c", b"d", b"e")
    done(metrics)
    failed(metrics, b"b")
    failed(metrics, b"c", remembered=True)
    metrics.on_event(TaskFinished(at=0, outcome=Skipped(task=task(b"d"))))
    snapshot = metrics.snapshot()
    assert snapshot.counts == Counts(done=1, failed=2, skipped=1, pending=1)
    assert snapshot.counts.found == snapshot.found == 5
    assert (snapshot.tried, snapshot.remembered) == (2, 1)
    assert (snapshot.run, snapshot.workers) == (7, 3)
    assert not snapshot.all_found
    metrics.on_event(SourceExhausted(at=0, found=5))
    assert metrics.snapshot().all_found


def test_retries_and_lost_workers_are_counted(metrics):
    attempt = Attempt(task(b"a"))
    metrics.on_event(AttemptStarted(at=0, attempt=attempt))
    metrics.on_event(TaskRetried(at=0, attempt=attempt, failure=Failure(code="crash", stage="", message=""), delay=1))
    metrics.on_event(WorkerLost(at=0, pid=1, signal=11, reason="SIGSEGV"))
    metrics.on_event(WorkerLost(at=0, pid=2, signal=9, reason="SIGKILL"))
    assert (metrics.snapshot().retries, metrics.snapshot().workers_lost) == (1, 2)


def test_what_handlers_count_is_added_up_by_name(metrics):
    done(metrics, measures={"bytes_in": 5, "pixels": 100})
    done(metrics, measures={"bytes_in": 7, "note.cropped": 1})
    assert metrics.snapshot().measures == {"bytes_in": 12, "pixels": 100, "note.cropped": 1}


def test_failures_are_counted_by_code_and_the_first_three_are_named(metrics):
    for number in range(5):
        failed(metrics, b"%d" % number)
    failed(metrics, b"x", code="timeout")
    assert metrics.snapshot().failures == {
        "decode": FailureKind(count=5, keys=(b"0", b"1", b"2")),
        "timeout": FailureKind(count=1, keys=(b"x",)),
    }


def test_stages_are_timed(metrics):
    done(metrics, seconds=0.5, timings={"read": 0.1, "decode": 0.4})
    done(metrics, seconds=0.3, timings={"read": 0.3})
    snapshot = metrics.snapshot()
    assert (snapshot.task.count, snapshot.task.longest) == (2, 0.5)
    assert {stage: timing.count for stage, timing in snapshot.stages.items()} == {"read": 2, "decode": 1}
    assert snapshot.stages["read"].mean == pytest.approx(0.2)


def test_rates_count_what_was_worked_on_over_the_run_and_over_the_last_ten_seconds(metrics, clock):
    for _ in range(100):
        metrics.on_event(TaskFinished(at=0, outcome=Skipped(task=task(b"s"))))
        failed(metrics, b"r", remembered=True)
    for _ in range(40):
        clock.now += 0.5
        done(metrics)
    clock.now += 0.5
    snapshot = metrics.snapshot()
    assert snapshot.seconds == 20.5
    assert snapshot.rate == pytest.approx(40 / 20.5)
    assert snapshot.recent_rate == pytest.approx(2, rel=0.1)
    clock.now += 5
    assert metrics.snapshot().recent_rate == pytest.approx(1, rel=0.2)
    clock.now += 100
    assert metrics.snapshot().recent_rate == 0


def test_a_run_that_has_just_begun_has_a_recent_rate_of_what_there_is(metrics, clock):
    assert metrics.snapshot().recent_rate == metrics.snapshot().rate == 0
    clock.now += 2
    done(metrics)
    assert metrics.snapshot().recent_rate == metrics.snapshot().rate == 0.5


def test_the_clock_stands_still_once_the_run_has_ended(metrics, clock):
    clock.now += 3
    metrics.on_event(RunEnded(at=0, counts=Counts(), reason="interrupted", seconds=3))
    clock.now += 60
    metrics.close()
    assert (metrics.snapshot().seconds, metrics.snapshot().reason) == (3, "interrupted")


def test_everything_is_nought_before_the_run_begins(clock):
    assert Metrics(clock=clock).snapshot() == MetricsSnapshot()


def test_the_five_slowest_are_kept_whatever_their_number(metrics):
    for number in range(50):
        done(metrics, key=b"%d" % number, seconds=float(number * 7 % 50))
    assert [slow.seconds for slow in metrics.snapshot().slowest] == [49, 48, 47, 46, 45]
    assert metrics.snapshot().slowest[0].key == b"7"


def test_worker_statuses_give_memory_and_tasks_in_flight(metrics):
    statuses = (
        WorkerStatus(pid=1, memory=100, key=b"a", stage="decode", seconds=3.0),
        WorkerStatus(pid=2, memory=50),
        WorkerStatus(pid=3, memory=50, key=b"b", seconds=7.5),
    )
    metrics.on_event(WorkersSeen(at=5, memory=30, posts=statuses))
    now = metrics.snapshot()
    assert (now.in_flight, now.oldest, now.coordinator_memory, now.workers_memory) == (2, 7.5, 30, 200)
    metrics.on_event(RunEnded(at=9, counts=Counts(), reason="finished", seconds=1))
    assert metrics.snapshot().in_flight == 0


def test_the_last_progress_is_when_a_task_ended_last(metrics):
    assert metrics.snapshot().finished_at == 0.0
    metrics.on_event(TaskFinished(at=1234.5, outcome=Skipped(task=task(b"a"))))
    assert metrics.snapshot().finished_at == 1234.5


def test_failed_tries_are_counted_by_node_and_so_are_nodes_without_work(metrics):
    failure = Failure(code="read", stage="read", message="x", node="10.0.0.2")
    metrics.on_event(TaskRetried(at=0, attempt=Attempt(task(b"a")), failure=failure, delay=0.0))
    metrics.on_event(TaskFinished(at=0, outcome=Failed(task=task(b"a"), failure=failure)))
    metrics.on_event(TaskFinished(at=0, outcome=Failed(task=task(b"b"), failure=failure, remembered=True)))
    metrics.on_event(NodeRefused(at=0, node="10.0.0.3", reason="x"))
    metrics.on_event(NodeSuspended(at=0, node="10.0.0.2", reason="x"))
    snapshot = metrics.snapshot()
    assert snapshot.node_failures == {"10.0.0.2": 2}
    assert snapshot.nodes_left_out == 2
