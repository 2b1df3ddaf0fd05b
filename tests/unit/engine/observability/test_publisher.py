"""Unchanged tasks reach observers together or one by one, with the same result."""

import pytest

from pixmill.batch.item import Item, to_task
from pixmill.batch.progress.progress import Progress
from pixmill.engine.clock import SystemClock
from pixmill.engine.events import SourceExhausted, TaskFinished, TaskFound
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.observability.publisher import EventPublisher, IgnoresUnchanged
from pixmill.engine.observability.stalls import StallDetector
from pixmill.engine.runner import open_run
from pixmill.engine.task import UNCHANGED, Counts, Skipped, Task
from pixmill.storage.entry import Entry
from support.notes import Notes

TASKS = [
    to_task(Item(Entry(b"%d.%s" % (number, b"jpg" if number % 3 else b"PNG"), number, b"1")), b"recipe") for number in range(9)
]


class OneByOne:
    """Passes events on, so that its observer gets no tasks together."""

    def __init__(self, observer):
        self.on_event, self.close = observer.on_event, observer.close


def echo(payload):
    return payload


def published(observer):
    EventPublisher([observer], SystemClock()).publish_unchanged(TASKS)
    return observer


def test_an_observer_of_events_gets_two_for_each_task():
    events = published(Notes()).events
    assert [type(event) for event in events] == [TaskFound, TaskFinished] * len(TASKS)
    assert [event.task for event in events[::2]] == TASKS
    assert [event.outcome for event in events[1::2]] == [Skipped(task=task) for task in TASKS]


def test_metrics_count_the_same_in_either_way():
    together, apart = Metrics(clock=lambda: 1.0), Metrics(clock=lambda: 1.0)
    published(together)
    published(OneByOne(apart))
    for snapshot in (together.snapshot(), apart.snapshot()):
        assert (snapshot.found, snapshot.counts) == (9, Counts(skipped=9))
        assert snapshot.finished_at
    assert together.snapshot().left_alone == apart.snapshot().left_alone == {}


def test_progress_is_the_same_in_either_way():
    together, apart = Progress(lambda: 1.0), Progress(lambda: 1.0)
    published(together)
    published(OneByOne(apart))
    assert together.snapshot() == apart.snapshot()
    assert together.snapshot().skipped == together.snapshot().found == 9


def test_unchanged_tasks_are_no_stall():
    now = 0.0
    detector = StallDetector([], threshold=10.0, clock=lambda: now)
    now = 100.0
    published(detector)
    assert detector._last_progress == 100.0


@pytest.mark.parametrize("size", [1, 9, 2000])
def test_a_run_with_nothing_to_do_has_an_outcome_for_each_task(size):
    ledger, tasks = MemoryLedger(), [Task.of(str(number)) for number in range(size)]

    def repeat(observers):
        with open_run(iter(tasks), HandlerRef.to(echo), workers=1, ledger=ledger, observers=observers) as run:
            return list(run), run.counts

    repeat([])
    notes, unaware = Notes(), IgnoresUnchanged()
    unaware.on_event, unaware.close = notes.on_event, notes.close
    outcomes, counts = repeat([notes])
    assert counts == Counts(skipped=size)
    assert {(outcome.task.key, outcome.reason) for outcome in outcomes} == {(task.key, UNCHANGED) for task in tasks}
    found = [event for event in notes.events if isinstance(event, TaskFound | TaskFinished)]
    assert len(found) == 2 * size
    assert [event.found for event in notes.events if isinstance(event, SourceExhausted)] == [size]
    notes.events.clear()
    repeat([unaware])
    assert not any(isinstance(event, TaskFound | TaskFinished) for event in notes.events)
