"""Tasks that their handlers defer: the coordinator decides, and the same attempt goes on."""

import msgspec
import pytest

from pixmill.core.errors import RunError
from pixmill.core.units import Rate
from pixmill.engine.events import AttemptStarted
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Attempt, BegunTask, Counts, Done, State, Task
from pixmill.testing.clocks import ManualClock
from pixmill.testing.faulty_handlers import REF


class Decisions:
    """Resolves each task to the command that its handler found, and notes which came together."""

    def __init__(self):
        self.groups = []

    def __call__(self, found):
        self.groups.append([finding for _, finding in found])
        return [msgspec.structs.replace(task, payload=finding) for task, finding in found]


class Started:
    def __init__(self):
        self.attempts = []

    def on_event(self, event):
        if isinstance(event, AttemptStarted):
            self.attempts.append((event.attempt.task.key, event.attempt.number))

    def close(self):
        pass


@pytest.fixture
def resolve():
    return Decisions()


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def started():
    return Started()


@pytest.fixture
def start(resolve, ledger, started):
    """Return a function that opens a run of these commands in this process."""

    def begin(*commands, clock=None, **options):
        clock = clock or ManualClock()
        tasks = [Task.of(str(number), command.encode()) for number, command in enumerate(commands)]
        options = {"resolve": resolve, **options}
        return open_run(
            tasks, REF, executor=InlineExecutor(clock=clock), ledger=ledger, clock=clock, observers=[started], **options
        )

    return begin


def drain(run):
    with run:
        return list(run)


def test_a_deferred_task_gets_its_outcome_in_the_same_attempt(start, ledger, started, resolve):
    outcomes = drain(start("defer echo a", "echo b", "defer echo c"))
    assert sorted(outcome.result for outcome in outcomes) == [b"echo a", b"echo b", b"echo c"]
    assert {outcome.attempts for outcome in outcomes} == {1}
    assert sorted(started.attempts) == [(b"0", 1), (b"1", 1), (b"2", 1)]
    assert [record.attempts for record in ledger.records()] == [1, 1, 1]
    assert [finding for group in resolve.groups for finding in group] == [b"echo a", b"echo c"]


def test_a_retry_starts_from_what_was_decided(start, started, resolve):
    (outcome,) = drain(start("defer raise transient", policy=Policy(attempts=3)))
    assert outcome.failure.code
    assert outcome.attempts == 3
    assert [number for _, number in started.attempts] == [1, 2, 3]
    assert resolve.groups == [[b"raise transient"]]


def test_a_task_may_be_deferred_more_than_once(start, resolve):
    (outcome,) = drain(start("defer defer echo a"))
    assert (outcome.result, outcome.attempts) == (b"echo a", 1)
    assert resolve.groups == [[b"defer echo a"], [b"echo a"]]


def test_a_run_that_stops_in_between_counts_no_attempt(start, ledger, resolve):
    with start("defer echo a", "defer echo b") as run:

        def resolve_and_stop(found):
            run.stop("enough")
            return resolve(found)

        run._scheduler._deferrals._resolve = resolve_and_stop
        assert list(run) == []
    assert ledger.counts() == Counts(pending=2)
    assert [record.attempts for record in ledger.records()] == [0, 0]


def test_a_decision_that_cannot_be_made_ends_the_run_and_counts_no_attempt(start, ledger):
    def refuse(_):
        raise RunError("there is nothing to decide")

    with pytest.raises(RunError, match="nothing to decide"):
        drain(start("echo a", "defer echo b", resolve=refuse))
    assert {record.key: (record.state, record.attempts) for record in ledger.records()} == {
        b"0": (State.DONE, 1),
        b"1": (State.PENDING, 0),
    }


def test_a_run_without_decisions_says_so(start):
    with pytest.raises(RunError, match="nothing can resolve it"):
        drain(start("defer echo a", resolve=None))


def test_a_suspect_that_runs_alone_stays_alone(start, ledger, resolve):
    task = Task.of("0", b"defer echo a")
    for _ in range(2):
        ledger.begin_run()
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        ledger.begin_run(begun=[BegunTask(id=task.id, started_at=1.0, seconds=1.0, alone=False)])
    outcomes = drain(start("defer echo a", "echo b", "defer echo c"))
    assert [type(outcome) for outcome in outcomes] == [Done] * 3
    assert outcomes[-1].task.key == b"0"
    assert resolve.groups[-1] == [b"echo a"]


def test_a_rate_counts_a_deferred_task_once(start):
    clock = ManualClock()
    began = clock.elapsed()
    drain(start(*["defer echo a"] * 20, clock=clock, policy=Policy(max_rate=Rate(10))))
    assert clock.elapsed() - began == pytest.approx(1.9, abs=0.4)
