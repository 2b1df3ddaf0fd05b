"""What a task does to its worker costs that task alone."""

import pytest

from pixmill.core.errors import RunError
from pixmill.core.units import Duration
from pixmill.engine.events import AttemptStarted, RunEnded, TaskFinished, WorkerLost
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Failed, Task
from pixmill.testing.faulty_handlers import REF
from support.notes import Notes


def outcomes_of(payloads, *, workers=2, observers=(), **policy):
    tasks = [Task.of(str(number), payload.encode()) for number, payload in enumerate(payloads)]
    with open_run(tasks, REF, workers=workers, policy=Policy(**policy), observers=observers) as run:
        outcomes = list(run)
    assert len({outcome.task.key for outcome in outcomes}) == len(outcomes) == len(payloads)
    return outcomes


def failed(outcomes):
    return {outcome.task.payload.decode(): outcome for outcome in outcomes if isinstance(outcome, Failed)}


def test_a_crash_is_tried_once_more_alone_before_the_blame():
    notes = Notes()
    (outcome,) = failed(outcomes_of(["echo x"] * 30 + ["segfault"] + ["echo x"] * 30, observers=[notes])).values()
    tries = [event.attempt for event in notes.of(AttemptStarted) if event.attempt.task.payload == b"segfault"]
    assert [(attempt.number, attempt.isolated) for attempt in tries] == [(1, False), (2, True)]
    assert outcome.attempts == 2
    assert (outcome.failure.code, outcome.failure.stage, outcome.failure.signal) == ("crash", "segfault", 11)
    assert outcome.failure.peak_rss > 1_000_000
    assert "faulty_handlers.py" in outcome.failure.trace
    assert [event.task.payload for event in notes.of(WorkerLost)] == [b"segfault", b"segfault"]


def test_who_crashed_through_no_fault_of_its_own_succeeds_alone(tmp_path):
    (outcome,) = outcomes_of([f"crash-once {tmp_path / 'marker'}"])
    assert isinstance(outcome, Done)
    assert outcome.attempts == 2


def test_one_percent_of_poison_fails_and_every_neighbour_is_done():
    payloads = [f"signal 11 {n}".replace(f" {n}", "") if n % 100 == 50 else "echo x" for n in range(2000)]
    outcomes = outcomes_of(payloads, workers=3)
    poisoned = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    assert len(poisoned) == 20
    assert {outcome.task.payload for outcome in poisoned} == {b"signal 11"}
    assert {outcome.attempts for outcome in poisoned} == {2}


def test_a_task_that_hangs_is_failed_as_a_timeout_and_the_others_are_done():
    outcomes = outcomes_of(["echo a", "sleep 100", "echo b"], timeout=Duration(2))
    (outcome,) = failed(outcomes).values()
    assert (outcome.failure.code, outcome.failure.stage, outcome.attempts) == ("timeout", "sleep", 2)


def test_what_was_killed_for_want_of_memory_is_tried_again_with_the_machine_to_itself():
    notes = Notes()
    outcomes = outcomes_of(["sleep 0.01"] * 40 + ["signal 9"] + ["sleep 0.01"] * 200, observers=[notes], workers=3)
    assert [outcome.failure.code for outcome in failed(outcomes).values()] == ["out-of-memory"]
    in_flight, hermit_seen = set(), False
    for event in notes.events:
        if isinstance(event, AttemptStarted):
            assert not (hermit_seen and b"hermit" in in_flight)
            key = b"hermit" if event.attempt.isolated else event.attempt.task.key
            assert not event.attempt.isolated or not in_flight
            in_flight.add(key)
            hermit_seen = hermit_seen or event.attempt.isolated
        elif isinstance(event, TaskFinished):
            in_flight.discard(event.outcome.task.key)
            if event.outcome.task.payload == b"signal 9":
                in_flight.discard(b"hermit")
        elif isinstance(event, WorkerLost) and event.task:
            in_flight.discard(event.task.key)
    assert hermit_seen


@pytest.mark.parametrize(
    ("factory", "words"),
    [("broken", "libtrouble.so.1"), ("exits_on_load", "exited with status 7"), ("missing", "missing")],
)
def test_workers_that_die_as_fast_as_they_start_end_the_run(factory, words, born):
    notes = Notes()
    ref = HandlerRef(f"pixmill.testing.faulty_handlers:{factory}")

    def drain():
        with open_run([Task.of("a")], ref, workers=2, observers=[notes]) as run:
            list(run)

    with pytest.raises(RunError, match=words):
        drain()
    assert len(notes.of(WorkerLost)) < 10
    (end,) = notes.of(RunEnded)
    assert words in end.reason
    assert end.counts.pending == 1
    assert born() == []


def test_what_a_handler_prints_does_not_reach_the_terminal(capfd):
    outcomes = outcomes_of(["say something terrible"])
    assert isinstance(outcomes[0], Done)
    assert capfd.readouterr() == ("", "")
