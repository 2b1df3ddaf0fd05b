"""A storage that throttles costs time, never a task: no refused attempt counts."""

import random
from itertools import count

import pytest

from pixmill.core.errors import ReadError, RunError
from pixmill.core.events import Observer
from pixmill.engine.events import TaskRetried, Throttled
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.scheduling.throttle import GIVE_UP_AFTER, MAX_BACKOFF
from pixmill.engine.task import Counts, Task
from pixmill.testing.clocks import ManualClock

REFUSED = count()


def refusing(payload, stages):
    """Refuse the first attempts, as many as the payload says; count one more refusal in each that succeeds."""
    if next(REFUSED) % (int(payload) + 1) < int(payload):
        raise ReadError("the store returned 503 (SlowDown)", code="throttled", retryable=True)
    stages.count("throttled", 1)
    stages.count("throttled_ms", 1500)
    return b"done"


def refusing_handler(_):
    return refusing


class Notes(Observer):
    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)

    def close(self):
        pass

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def run():
    """Return a function that runs one task which is refused ``times``, with its clock, notes, ledger and metrics."""

    def run(times, tasks=1):
        clock, notes, ledger = ManualClock(), Notes(), MemoryLedger()
        metrics = Metrics(clock=clock.elapsed)
        under_way = open_run(
            [Task.of(str(number), b"%d" % times) for number in range(tasks)],
            HandlerRef(f"{__file__}:refusing_handler"),
            executor=InlineExecutor(clock=clock),
            ledger=ledger,
            clock=clock,
            policy=Policy(attempts=2),
            observers=[metrics, notes],
            rng=random.Random(1),
        )
        return under_way, clock, notes, ledger, metrics

    return run


def test_a_task_that_was_refused_often_is_done_in_the_end_and_no_try_counts(run):
    under_way, clock, notes, ledger, metrics = run(12)
    with under_way:
        (outcome,) = under_way
    assert (outcome.result, outcome.attempts) == (b"done", 1)
    assert len(notes.of(TaskRetried)) == 12
    assert next(ledger.records()).attempts <= 1
    assert clock.elapsed() > 10
    assert max(each.delay for each in notes.of(TaskRetried)) <= MAX_BACKOFF
    assert metrics.snapshot().throttled == 13


def test_observers_learn_how_long_a_worker_waited(run):
    under_way, _, notes, *_ = run(0)
    with under_way:
        list(under_way)
    (event,) = notes.of(Throttled)
    assert (event.refusals, event.seconds) == (1, 1.5)


def test_a_store_that_refuses_everything_ends_the_run_and_leaves_the_task_pending(run):
    under_way, clock, _, ledger, _ = run(10_000_000)
    with pytest.raises(RunError, match="refused every request for 10 minutes") as raised, under_way:
        list(under_way)
    assert raised.value.code == "throttled"
    assert clock.elapsed() >= GIVE_UP_AFTER
    assert ledger.counts() == Counts(pending=1)
