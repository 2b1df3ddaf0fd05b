"""A store that is sick costs time, never a task: no refused attempt counts, and work waits until the store has recovered."""

import itertools
import random
from itertools import count

import pytest

from pixmill.core.errors import ReadError, RunError, WriteError
from pixmill.engine.events import AttemptStarted, StoreHeld, StoreRecovered, TaskRetried, Throttled
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.scheduling.store_breaker import HOLD_AFTER, MAX_BACKOFF, Hold
from pixmill.engine.task import Counts, Task
from pixmill.testing.clocks import ManualClock
from support.notes import Notes

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


AWAY = count()
REFUSALS_WHILE_AWAY = 60


def away(payload, stages):
    """Be out of reach for the first attempts."""
    del payload, stages
    if next(AWAY) < REFUSALS_WHILE_AWAY:
        raise WriteError("the connection failed (connect)", code="unreachable", retryable=True)
    return b"done"


def away_handler(_):
    return away


@pytest.fixture
def run():
    """Return a function that runs one task which is refused ``times``, with its clock, notes, ledger and metrics."""

    def run(times, tasks=1, hold=lambda: None, handler="refusing_handler"):
        clock, notes, ledger = ManualClock(), Notes(), MemoryLedger()
        metrics = Metrics(clock=clock.elapsed)
        under_way = open_run(
            [Task.of(str(number), b"%d" % times) for number in range(tasks)],
            HandlerRef(f"{__file__}:{handler}"),
            executor=InlineExecutor(clock=clock),
            ledger=ledger,
            clock=clock,
            policy=Policy(attempts=2, store_timeout=600),
            hold=hold,
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
    with pytest.raises(RunError, match="has not recovered within 10:00: the store returned 503") as raised, under_way:
        list(under_way)
    assert raised.value.code == "throttled"
    assert clock.elapsed() >= 600
    assert ledger.counts() == Counts(pending=1)


def test_a_store_that_is_away_is_tried_by_one_task_at_a_time_and_then_all_are_done(run):
    under_way, _, notes, ledger, metrics = run(0, tasks=30, handler="away_handler")
    with under_way:
        outcomes = list(under_way)
    assert {(outcome.result, outcome.attempts) for outcome in outcomes} == {(b"done", 1)}
    assert ledger.counts() == Counts(done=30)
    (held,), (recovered,) = notes.of(StoreHeld), notes.of(StoreRecovered)
    assert held.reason == "the connection failed (connect)"
    meanwhile = notes.events[notes.events.index(held) : notes.events.index(recovered)]
    started = [event.at for event in meanwhile if isinstance(event, AttemptStarted)]
    assert 5 < len(started) <= REFUSALS_WHILE_AWAY - 30 + 1
    assert len(set(started)) == len(started)
    assert max(later - earlier for earlier, later in itertools.pairwise(started)) <= 2 * MAX_BACKOFF
    assert recovered.seconds > HOLD_AFTER
    snapshot = metrics.snapshot()
    assert (snapshot.held, snapshot.held_seconds) == (False, recovered.seconds)


def test_while_something_else_holds_the_run_nothing_is_started(run):
    until = [50]
    box = []

    def hold():
        return Hold("the lock is late", blocks=True) if box[0].elapsed() < until[0] else None

    under_way, clock, notes, *_ = run(0, tasks=3, hold=hold)
    box.append(clock)
    with under_way:
        assert len(list(under_way)) == 3
    assert notes.of(StoreHeld)[0].reason == "the lock is late"
    assert notes.events.index(notes.of(AttemptStarted)[0]) > notes.events.index(notes.of(StoreRecovered)[0])
    assert clock.elapsed() >= 50


def test_a_listing_that_waits_is_shown_and_other_work_goes_on(run):
    clock_of = []
    under_way, clock, notes, *_ = run(0, tasks=3, hold=lambda: Hold("a page is late") if clock_of[0].elapsed() < 1 else None)
    clock_of.append(clock)
    with under_way:
        list(under_way)
    assert [event.reason for event in notes.of(StoreHeld)] == ["a page is late"]
    assert clock.elapsed() < 10
