"""Tasks that were at work when runs died: they come last, then alone, and one that is the cause is failed."""

import random

import pytest

from pixmill.engine.events import AttemptStarted, TaskFinished
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.ledger import State
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Attempt, BegunTask, Counts, Task
from pixmill.testing.clocks import ManualClock
from pixmill.testing.faulty_handlers import REF
from support.notes import Notes

TASKS = [Task.of(name, f"echo {name}".encode()) for name in "abcdefgh"]


class Starts(Notes):
    def started(self):
        return [event.attempt for event in self.events if isinstance(event, AttemptStarted)]


class OnNodes(InlineExecutor):
    """Says that it has nodes, and accepts as many attempts at once."""

    has_nodes = True


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def died(ledger):
    """Return a function that lets a run die with these tasks at work, ``queued`` ones not included."""

    def die(*names, queued="", alone=False, seconds=2.0, at=0.0):
        tasks = [task for task in TASKS if task.key.decode() in names]
        ledger.begin_run()
        ledger.get_or_add(TASKS)
        ledger.start_attempts([Attempt(task) for task in TASKS if task.key.decode() in [*names, *queued]])
        ledger.begin_run(begun=[BegunTask(id=task.id, started_at=at, seconds=seconds, alone=alone) for task in tasks])

    return die


@pytest.fixture
def ran(ledger):
    """Return a function that runs all tasks and returns the events."""

    def run(tasks=TASKS, executor=InlineExecutor, **policy):
        notes, clock = Starts(), ManualClock()
        options = {"policy": Policy(**policy), "clock": clock, "rng": random.Random(1), "observers": [notes]}
        with open_run(tasks, REF, executor=executor(clock=clock), ledger=ledger, **options) as opened:
            list(opened)
        return notes

    return run


def order(notes):
    return "".join(attempt.task.key.decode() for attempt in notes.started())


def test_a_queued_task_is_no_suspect(ran, died, ledger):
    for _ in range(20):
        died("a", queued="bcdefgh")
        assert [record.interruptions for record in ledger.records() if record.key != b"a"] == [0] * 7
        ledger.renew([TASKS[0]])
    assert order(ran()) == "abcdefgh"
    assert ledger.counts() == Counts(done=8)


def test_after_the_first_death_suspects_run_last_and_together(ran, died):
    died("a", "c")
    notes = ran()
    assert order(notes) == "bdefghac"
    kinds = [
        type(event).__name__[:4] + event.attempt.task.key.decode() for event in notes.events if isinstance(event, AttemptStarted)
    ]
    assert kinds[-2:] == ["Attea", "Attec"]
    others_finished = [index for index, event in enumerate(notes.events) if isinstance(event, TaskFinished)][5]
    suspects_started = [index for index, event in enumerate(notes.events) if isinstance(event, AttemptStarted)][6]
    assert others_finished < suspects_started
    assert not any(attempt.exclusive for attempt in notes.started())


def test_after_the_second_death_each_runs_alone_the_least_recently_tried_first(ran, died):
    died("a", "b", "c", at=1.0)
    died("a", "b", at=3.0)
    died("c", at=2.0)
    died("e")
    notes = ran()
    assert order(notes) == "dfghecab"
    assert [attempt.task.key for attempt in notes.started() if attempt.exclusive] == [b"c", b"a", b"b"]
    running = 0
    for event in notes.events[-12:]:
        running += isinstance(event, AttemptStarted) - isinstance(event, TaskFinished)
        assert running <= 1


def test_a_task_that_ends_is_no_suspect(ran, died, ledger):
    died("a")
    died("a")
    ran()
    assert ledger.counts() == Counts(done=8)
    assert {record.interruptions for record in ledger.records()} == {0}


def test_two_deaths_alone_after_two_in_company_fail_a_task_and_say_why(ran, died, ledger):
    died("a", "b")
    died("a", "b", seconds=0.0)
    died("a", alone=True)
    died("a", alone=True, seconds=61.25)
    ran()
    assert ledger.counts() == Counts(done=7, failed=1)
    (record,) = ledger.records(State.FAILED)
    assert record.failure.code == "interrupted"
    assert record.failure.message == (
        "the run was killed 4 times while it worked on this image, after 2.0 s, under 0.3 s, 2.0 s and 61.2 s; "
        "the last 2 times it ran alone"
    )
    assert record.failure.hint.endswith("then: pixmill retry DST")
    ledger.reset([b"a"])
    ran()
    assert ledger.counts() == Counts(done=8)


def test_any_number_of_deaths_in_company_fail_nobody(ran, died, ledger):
    for _ in range(10):
        died("a", "b")
    ran()
    assert ledger.counts() == Counts(done=8)


@pytest.mark.parametrize(("limit", "deaths"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 6)])
def test_the_limit_can_be_set(ran, died, ledger, limit, deaths):
    for number in range(deaths - 1):
        died("a", alone=number >= 2)
    ran(TASKS[:1], interruptions=limit)
    assert ledger.counts().failed == 0
    ledger.renew(TASKS[:1])
    for number in range(deaths):
        died("a", alone=number >= 2)
    ran(TASKS[:1], interruptions=limit)
    assert ledger.counts().failed == 1


def test_on_a_cluster_suspects_come_last_and_leave_no_node_idle(ran, died):
    died("a", "b")
    died("a", "b")
    died("c")
    notes = ran(executor=OnNodes)
    assert order(notes) == "defghcab"
    assert not any(attempt.exclusive for attempt in notes.started())
    last_five = [event for event in notes.events if isinstance(event, AttemptStarted | TaskFinished)][:8]
    assert all(isinstance(event, AttemptStarted) for event in last_five)


def test_while_a_source_has_nothing_new_suspects_run(ran, died, ledger):
    died("a")

    def source():
        yield from TASKS
        while ledger.counts().done < 8:
            yield None

    assert order(ran(source())) == "bcdefgha"


def test_more_suspects_than_the_window_holds_do_not_stop_a_run(ran, died, ledger):
    died(*"abcdef")
    assert order(ran(window=2)) == "ghabcdef"
    assert ledger.counts() == Counts(done=8)


def test_a_suspect_that_is_retried_stays_alone(ran, ledger):
    task = Task.of("a", b"raise transient")
    for _ in range(2):
        ledger.begin_run()
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        ledger.begin_run(begun=[BegunTask(id=task.id, started_at=0.0, seconds=1.0, alone=False)])
    notes = ran([task, *TASKS[1:]])
    assert [(attempt.number, attempt.exclusive) for attempt in notes.started()][-3:] == [(1, True), (2, True), (3, True)]
