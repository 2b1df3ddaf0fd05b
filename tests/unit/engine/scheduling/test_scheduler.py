"""From a stream of tasks to one outcome each: retries, memory of earlier runs, rate and window, on a manual clock."""

import random
from collections import Counter
from itertools import count, pairwise

import pytest

from pixmill.core.errors import RunError
from pixmill.core.units import CountOrPercent, Duration, Rate
from pixmill.engine.events import (
    AttemptStarted,
    RunEnded,
    RunStarted,
    SourceExhausted,
    TaskFinished,
    TaskFound,
    TaskRetried,
    WorkersSeen,
)
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.ledger import State
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, Skipped, Task
from pixmill.testing.clocks import ManualClock
from pixmill.testing.faulty_handlers import REF


class Notes:
    def __init__(self):
        self.events = []
        self.closed = 0

    def on_event(self, event):
        self.events.append(event)

    def close(self):
        self.closed += 1

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def start(clock, notes, ledger):
    """Return a function that opens a run in this process, on the manual clock."""

    def start(tasks, **options):
        return open_run(
            tasks,
            REF,
            executor=InlineExecutor(clock=clock),
            ledger=ledger,
            clock=clock,
            observers=[notes],
            rng=random.Random(1),
            **options,
        )

    return start


def named(*payloads):
    return [Task.of(str(number), payload.encode()) for number, payload in enumerate(payloads)]


def drain(run):
    with run:
        return list(run)


def test_every_task_gets_its_outcome_and_the_books_balance(start, ledger, notes):
    run = start(named("echo a", "raise corrupt", "echo b"))
    outcomes = drain(run)
    assert Counter(type(outcome) for outcome in outcomes) == {Done: 2, Failed: 1}
    assert run.counts == ledger.counts() == Counts(done=2, failed=1)
    assert run.reason == "finished"
    assert notes.closed == 1


def test_observers_receive_every_event_in_order(start, notes):
    drain(start(named("echo a")))
    kinds = [type(event) for event in notes.events]
    assert kinds == [RunStarted, TaskFound, SourceExhausted, AttemptStarted, TaskFinished, RunEnded]
    assert notes.of(SourceExhausted)[0].found == 1


def test_the_ledger_knows_the_outcome_before_anybody_else(start, ledger):
    with start(named("echo a")) as run:
        for outcome in run:
            assert next(ledger.records()).state == State.DONE
            assert isinstance(outcome, Done)


def test_what_may_pass_is_tried_again_after_growing_pauses(start, notes):
    (outcome,) = drain(start(named("raise transient"), policy=Policy(attempts=4, backoff=Duration(1))))
    assert isinstance(outcome, Failed)
    assert outcome.attempts == 4
    started = notes.of(AttemptStarted)
    assert [event.attempt.number for event in started] == [1, 2, 3, 4]
    assert [event.attempt.isolated for event in started] == [False, False, False, True]
    delays = [event.delay for event in notes.of(TaskRetried)]
    rng = random.Random(1)
    assert delays == [rng.uniform(0, ceiling) for ceiling in (2, 4, 8)]
    for before, after, delay in zip(started, started[1:], delays, strict=False):
        assert after.at - before.at == pytest.approx(delay, abs=1e-3)


def test_what_will_not_pass_is_not_tried_again(start, notes):
    (outcome,) = drain(start(named("raise corrupt")))
    assert (outcome.failure.code, outcome.attempts) == ("read-corrupt", 1)
    assert notes.of(TaskRetried) == []


def test_the_only_attempt_of_a_policy_is_not_isolated(start, notes):
    drain(start(named("raise transient"), policy=Policy(attempts=1)))
    (started,) = notes.of(AttemptStarted)
    assert (started.attempt.number, started.attempt.isolated) == (1, False)


def test_what_is_done_is_skipped_in_the_next_run(start):
    drain(start(named("echo a", "echo b")))
    run = start(named("echo a", "echo b"))
    assert [type(outcome) for outcome in drain(run)] == [Skipped, Skipped]
    assert run.counts == Counts(skipped=2)


def test_a_new_version_of_a_task_is_run_again(start):
    drain(start([Task.of("a", b"echo 1")]))
    (outcome,) = drain(start([Task.of("a", b"echo 2")]))
    assert isinstance(outcome, Done)


def test_what_is_done_but_no_longer_there_is_run_again(start):
    drain(start(named("echo a", "echo b")))
    seen = []

    def still_valid(task, record):
        seen.append((task.key, record.result))
        return task.key == b"1"

    outcomes = drain(start(named("echo a", "echo b"), still_valid=still_valid))
    assert {outcome.task.key: type(outcome) for outcome in outcomes} == {b"0": Done, b"1": Skipped}
    assert seen == [(b"0", b"echo a"), (b"1", b"echo b")]


def test_what_is_done_may_be_skipped_for_another_reason(start):
    drain(start(named("echo a", "echo b")))
    outcomes = drain(start(named("echo a", "echo b"), still_valid=lambda task, _: "odd" if task.key == b"1" else True))
    assert {outcome.task.key: outcome.reason for outcome in outcomes} == {b"0": "unchanged", b"1": "odd"}
    assert [type(outcome) for outcome in drain(start(named("echo a", "echo b")))] == [Skipped, Skipped]


def test_force_runs_everything_again(start):
    drain(start(named("echo a", "raise corrupt")))
    outcomes = drain(start(named("echo a", "raise corrupt"), force=True))
    assert [type(outcome) for outcome in outcomes] == [Done, Failed]
    assert [outcome.attempts for outcome in outcomes] == [1, 1]


def test_what_failed_is_remembered_and_not_tried(start, notes):
    drain(start(named("raise corrupt")))
    before = len(notes.of(AttemptStarted))
    (outcome,) = drain(start(named("raise corrupt")))
    assert outcome.remembered
    assert outcome.failure.code == "read-corrupt"
    assert len(notes.of(AttemptStarted)) == before


def test_attempts_are_counted_over_all_runs(start, ledger, notes):
    (task,) = named("raise transient")
    ledger.begin_run()
    ledger.get_or_add([task])
    ledger.start_attempts([Attempt(task, 1)])
    ledger.start_attempts([Attempt(task, 2)])
    ledger.begin_run()  # the run died with the second try in flight
    (outcome,) = drain(start([task]))
    assert [event.attempt.number for event in notes.of(AttemptStarted)] == [2, 3]
    assert outcome.attempts == 3


class Commits(MemoryLedger):
    """Records the number of outcomes in each commit."""

    def __init__(self):
        super().__init__()
        self.finished = []

    def record_outcomes(self, outcomes):
        self.finished.append(len(outcomes))
        super().record_outcomes(outcomes)


class SlowTask(InlineExecutor):
    """Takes 20 ms by the manual clock for each task."""

    def wait(self, timeout):
        self._clock.sleep(0.02)
        return super().wait(timeout)


def test_outcomes_share_a_commit_and_the_last_ones_do_not_wait(clock):
    ledger = Commits()
    drain(open_run(named(*["echo x"] * 150), REF, executor=InlineExecutor(clock=clock), ledger=ledger, clock=clock))
    assert ledger.finished == [64, 64, 22]


def test_an_outcome_waits_for_others_a_twentieth_of_a_second_at_most(clock):
    ledger = Commits()
    drain(open_run(named(*["echo x"] * 10), REF, executor=SlowTask(clock=clock), ledger=ledger, clock=clock))
    assert max(ledger.finished) <= 4
    assert sum(ledger.finished) == 10


def test_outcomes_are_recorded_when_the_run_breaks_off_before_they_were_yielded(clock):
    def tasks():
        yield from named(*["echo x"] * 4)
        raise ValueError("the listing broke off")

    ledger = Commits()
    run = open_run(tasks(), REF, executor=InlineExecutor(clock=clock), ledger=ledger, clock=clock, policy=Policy(window=2))
    with pytest.raises(ValueError, match="the listing broke off"):
        drain(run)
    assert run.counts == ledger.counts()
    assert run.counts.done > 0


def test_tasks_are_drawn_as_they_are_needed(start):
    drawn = count()
    tasks = (Task.of(str(next(drawn)), b"echo x") for _ in range(10**9))
    with start(tasks, policy=Policy(window=64)) as run:
        for number, _ in enumerate(run):
            if number == 1000:
                break
    assert next(drawn) < 1000 + 64 + 64


def test_two_tasks_of_one_name_both_get_an_outcome(start):
    outcomes = drain(start([Task.of("a", b"echo 1"), Task.of("a", b"echo 2"), Task.of("b", b"echo 3")]))
    assert [outcome.result for outcome in outcomes] == [b"echo 1", b"echo 2", b"echo 3"]


def test_a_rate_is_kept(start, notes):
    drain(start(named(*["echo x"] * 50), policy=Policy(max_rate=Rate(10))))
    times = [event.at for event in notes.of(AttemptStarted)]
    assert times[-1] - times[0] == pytest.approx(49 / 10, rel=0.05)
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(times))


def test_an_observer_that_cannot_do_its_work_ends_the_run(ledger, clock):
    class Full(Notes):
        def on_event(self, event):
            if isinstance(event, TaskFinished):
                raise OSError("no space left")

    full = Full()
    run = open_run(named("echo x"), REF, executor=InlineExecutor(clock=clock), ledger=ledger, observers=[full], clock=clock)
    with pytest.raises(OSError, match="no space left"):
        drain(run)
    assert full.closed == 1
    assert run.reason == "OSError: no space left"
    assert next(ledger.runs()).reason == run.reason


def test_an_error_of_the_source_ends_the_run_and_leaves_the_other_tasks_pending(start, ledger):
    def tasks():
        yield from named(*["echo x"] * 3)
        raise ValueError("the listing broke off")

    run = start(tasks())
    with pytest.raises(ValueError, match="the listing broke off"):
        drain(run)
    assert ledger.counts() == Counts(done=0, pending=0)
    assert run.reason == "ValueError: the listing broke off"


def test_leaving_early_gives_back_what_was_started(start, ledger):
    with start(named(*["echo x"] * 100)) as run:
        next(iter(run))
    assert run.reason == "interrupted"
    assert {(record.attempts, record.state) for record in ledger.records(State.PENDING)} == {(0, State.PENDING)}
    assert run.counts == ledger.counts()
    assert 0 < run.counts.pending < 100


def test_a_failure_that_was_recorded_keeps_its_evidence(start, ledger):
    drain(start(named("raise corrupt")))
    (record,) = ledger.records(State.FAILED)
    assert record.failure == Failure(code="read-corrupt", stage="read", message="it is corrupt", hint="look at it")


def test_the_time_on_the_way_to_a_worker_and_back_is_the_stage_queue():
    first, second = drain(open_run(named("sleep 0.1", "sleep 0"), REF, executor=InlineExecutor()))
    assert second.timings["queue"] >= 0.9 * first.seconds  # it was sent at once, and waited behind the first
    assert first.timings["queue"] < second.timings["queue"]


def test_the_observers_get_the_worker_statuses_once_a_second(start, notes):
    drain(start(iter([*[None] * 100, *named("echo a")])))
    looks = notes.of(WorkersSeen)
    assert looks
    assert all(later.at - earlier.at >= 1.0 for earlier, later in pairwise(looks))
    assert looks[0].memory > 1_000_000


def test_too_many_failures_stop_a_run_and_the_rest_stays_pending(start, ledger, notes):
    tasks = named(*["raise"] * 3, *[f"fine {number}" for number in range(5000)])
    policy = Policy(max_failures=CountOrPercent(2), attempts=1)
    with start(tasks, policy=policy) as run, pytest.raises(RunError, match="more than --max-failures 2 allows") as end:
        list(run)
    assert end.value.code == "too-many-failures"
    ended = notes.of(RunEnded)[0]
    assert ended.reason == end.value.message
    assert ended.counts.pending > 0
    assert ledger.counts().failed == 3
    with start(tasks, policy=Policy(max_failures=CountOrPercent(0), attempts=1)) as resumed:
        assert resumed.counts.failed == 0
        list(resumed)
    assert resumed.counts == Counts(done=5000 - ended.counts.done, skipped=ended.counts.done, failed=3)
