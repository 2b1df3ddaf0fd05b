"""What is kept of a run besides its ledger: also when it is killed, never when it did nothing, and not for ever."""

import pytest

from pixmill.batch.report.data.run_info import MAX_RUN_FILES, RunInfoFile, run_infos
from pixmill.batch.state.location import RUN_FILE_INTERVAL
from pixmill.engine.events import RunStarted, TaskFinished
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.task import Done, Skipped, Task


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Kept:
    """A run whose account is kept below ``state``."""

    def __init__(self, state, number=1, command=()):
        self.clock = Clock()
        self.metrics = Metrics()
        self.file = RunInfoFile(state / "runs", self.metrics, command, clock=self.clock)
        self.see(RunStarted(at=0, run=number, workers=2))

    def see(self, event):
        self.metrics.on_event(event)
        self.file.on_event(event)

    def finish(self, outcome):
        self.see(TaskFinished(at=1, outcome=outcome))


DONE = Done(task=Task(b"", b"a\xff.jpg"), seconds=0.5, timings={"decode": 0.4})


@pytest.fixture
def state(tmp_path):
    return tmp_path


def test_a_run_that_is_killed_leaves_what_it_knew_at_most_ten_seconds_before(state):
    run = Kept(state)
    run.finish(DONE)
    assert list(run_infos(state)) == []
    run.clock.now = RUN_FILE_INTERVAL
    run.finish(DONE)
    (account,) = run_infos(state)
    kept, known = account.snapshot, run.metrics.snapshot()
    assert (kept.done, kept.stages, kept.slowest) == (2, known.stages, known.slowest)


def test_the_command_is_kept_byte_for_byte(state):
    run = Kept(state, command=["pixmill", "run", "ph\udcff tos"])
    run.finish(DONE)
    run.file.close()
    (account,) = run_infos(state)
    assert account.command == (b"pixmill", b"run", b"ph\xff tos")


def test_a_run_that_had_nothing_to_do_does_not_take_the_place_of_the_one_that_worked(state):
    first = Kept(state, number=1)
    first.finish(DONE)
    first.file.close()
    second = Kept(state, number=2)
    second.finish(Skipped(task=Task(b"", b"a")))
    second.file.close()
    assert [account.snapshot.run for account in run_infos(state)] == [1]


def test_the_youngest_comes_first_and_the_oldest_are_forgotten(state):
    for number in range(1, MAX_RUN_FILES + 4):
        run = Kept(state, number=number)
        run.finish(DONE)
        run.file.close()
    assert [account.snapshot.run for account in run_infos(state)] == list(range(MAX_RUN_FILES + 3, 3, -1))


@pytest.mark.parametrize("damage", [b"", b"{", b'{"version": "\xff"}'])
def test_an_account_that_was_damaged_is_left_out(state, damage):
    run = Kept(state)
    run.finish(DONE)
    run.file.close()
    (state / "runs" / "00000002.json").write_bytes(damage)
    assert [account.snapshot.run for account in run_infos(state)] == [1]


def test_a_folder_that_cannot_be_written_costs_the_account_and_not_the_run(state):
    (state / "runs").write_text("a file where the folder should be")
    run = Kept(state)
    run.finish(DONE)
    run.file.close()
    assert list(run_infos(state)) == []
