"""Tasks whose data change after they were found are made in their new version, after all others, by the same run."""

import pytest

from pixmill.engine.events import SourceExhausted, TaskFinished, TaskFound, TaskRetried
from pixmill.engine.executors.inline import InlineExecutor
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.runner import open_run
from pixmill.engine.scheduling.next_pass import Renewal
from pixmill.engine.task import Counts, Done, Failed, Task
from pixmill.testing.clocks import ManualClock
from pixmill.testing.faulty_handlers import REF
from support.notes import Notes


@pytest.fixture
def seen():
    return Notes()


@pytest.fixture
def ledger():
    return MemoryLedger()


@pytest.fixture
def start(ledger, seen):
    """Return a function that opens a run of these commands; ``versions`` has those of each task's later versions, by its key."""

    def begin(*commands, versions):
        clock, left = ManualClock(), {key: list(later) for key, later in versions.items()}

        def renew(task):
            later = left.get(task.key.decode())
            return Task.of(task.key, later.pop(0).encode()) if later else None

        return open_run(
            [Task.of(str(number), command.encode()) for number, command in enumerate(commands)],
            REF,
            executor=InlineExecutor(clock=clock),
            ledger=ledger,
            clock=clock,
            observers=[seen],
            renewal=Renewal(frozenset({"read-corrupt"}), renew),
        )

    return begin


def drain(run):
    with run:
        return list(run)


def test_a_task_whose_data_changed_is_made_in_its_new_version_after_all_others(start, ledger, seen):
    outcomes = drain(start("raise corrupt", "echo b", "echo c", versions={"0": ["echo new"]}))
    assert [type(outcome) for outcome in outcomes] == [Done] * 3
    assert outcomes[-1].result == b"echo new"
    assert outcomes[-1].task == Task.of("0", b"echo new")
    assert ledger.counts() == Counts(done=3)
    assert {record.id for record in ledger.records()} >= {Task.of("0", b"echo new").id}
    assert len(seen.of(TaskFound)) == 3
    assert [event.found for event in seen.of(SourceExhausted)] == [3]
    assert [event.attempt.task.key for event in seen.of(TaskRetried)] == [b"0"]
    assert len(seen.of(TaskFinished)) == 3


def test_a_failure_stands_if_there_is_no_other_version(start, ledger):
    outcomes = drain(start("raise corrupt", "echo b", versions={}))
    (failed,) = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    assert (failed.failure.code, failed.attempts) == ("read-corrupt", 1)
    assert ledger.counts() == Counts(done=1, failed=1)
    (record,) = [record for record in ledger.records() if record.failure]
    assert record.attempts == 1


def test_a_failure_of_another_kind_is_final_at_once(start):
    (failed,) = drain(start("raise value", versions={"0": ["echo new"]}))
    assert isinstance(failed, Failed)


def test_data_that_change_all_the_time_do_not_keep_a_run_going(start, ledger):
    always = ["raise corrupt" + " " * number for number in range(1, 50)]
    (failed,) = drain(start("raise corrupt", versions={"0": always}))
    assert isinstance(failed, Failed)
    assert ledger.counts() == Counts(failed=1)


def test_a_run_that_stops_before_the_next_pass_leaves_the_task_pending(start, ledger):
    with start("raise corrupt", "echo b", versions={"0": ["echo new"]}) as run:
        for _ in run:
            run.stop("enough")
    assert ledger.counts() == Counts(done=1, pending=1)
    assert run.counts == Counts(done=1, pending=1)
    assert sorted(record.attempts for record in ledger.records()) == [0, 1]
