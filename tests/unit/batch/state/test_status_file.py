"""What the state folder tells about the death of a run, and when it counts."""

import os
from contextlib import ExitStack

import pytest

from pixmill.batch.state import status_file as module
from pixmill.batch.state.status_file import STATUS, begun_tasks, open_status_file
from pixmill.engine.ledger import RunRecord
from pixmill.engine.task import Attempt, Task

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="without allocated blocks there is no such file")
TASK = Task.of("a")


@pytest.fixture
def dead(tmp_path):
    """Return a function that lets run 2 die with a task at work, in the state folder that it returns."""

    def die(*, stopping=False):
        with ExitStack() as stack:
            status = open_status_file(tmp_path, stack)
            place = status.open_place()
            status.begin_run(2, 1.0)
            place.begin(1, Attempt(TASK), 1.0)
            if stopping:
                status.set_stopping()
        return tmp_path

    return die


def runs(*, last=2, ended_at=0.0):
    return [RunRecord(number=number, started_at=1.0, ended_at=ended_at if number == last else 1.0) for number in range(1, last + 1)]


def test_the_task_that_was_at_work_is_known(dead):
    assert [begun.id for begun in begun_tasks(dead(), runs())] == [TASK.id]


def test_a_run_that_was_told_to_stop_accuses_nobody(dead):
    assert begun_tasks(dead(stopping=True), runs()) == ()


def test_a_run_that_ended_with_the_machine_accuses_nobody(dead, monkeypatch):
    state = dead()
    monkeypatch.setattr(module, "boot_id", lambda: "another")
    assert begun_tasks(state, runs()) == ()


@pytest.mark.parametrize("last", [1, 3])
def test_the_file_of_another_run_accuses_nobody(dead, last):
    assert begun_tasks(dead(), runs(last=last)) == ()


def test_a_run_that_has_ended_accuses_nobody(dead):
    assert begun_tasks(dead(), runs(ended_at=5.0)) == ()


def test_without_a_run_or_a_file_nobody_is_accused(tmp_path, dead):
    assert begun_tasks(tmp_path, runs()) == ()
    assert begun_tasks(dead(), []) == ()


def test_the_file_of_a_dead_run_stays_until_the_next_one_has_begun(dead):
    state = dead()
    with ExitStack() as stack:
        status = open_status_file(state, stack)
        assert begun_tasks(state, runs()) != ()
        status.begin_run(3, 1.0)
        assert begun_tasks(state, runs()) == ()
        assert [path.name for path in state.iterdir()] == [STATUS]
        status.end_run()
    assert not list(state.iterdir())


def test_a_link_in_its_place_is_not_followed(tmp_path):
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "status-new").symlink_to(target)
    with ExitStack() as stack:
        open_status_file(tmp_path, stack).begin_run(1, 1.0)
    assert target.read_text() == "mine"


def test_where_it_cannot_be_created_there_is_none(tmp_path):
    with ExitStack() as stack:
        assert open_status_file(tmp_path / "missing", stack) is None
