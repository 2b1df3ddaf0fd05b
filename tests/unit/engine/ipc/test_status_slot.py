"""The page that a worker shares with the coordinator."""

import os
import subprocess
import sys

import pytest

from pixmill.engine.ipc.status_slot import CurrentTask, StatusSlot


@pytest.fixture
def pair():
    """Return the coordinator's and the worker's view of one status slot, and its descriptor."""
    ours, fd = StatusSlot.create()
    theirs = StatusSlot.attach(fd)
    yield ours, theirs, fd
    theirs.close()
    ours.close()
    os.close(fd)


def test_it_shows_nothing_at_first(pair):
    ours, _, _ = pair
    assert ours.current_task() == CurrentTask(0, 0.0, "")
    assert ours.output() == ""


def test_it_shows_the_request_its_beginning_and_its_stage(pair):
    ours, theirs, _ = pair
    read, decode = theirs.register_stage("read"), theirs.register_stage("decode")
    theirs.begin(2**40, 1.5)
    theirs.set_stage(decode)
    assert ours.current_task() == CurrentTask(2**40, 1.5, "decode")
    theirs.set_stage(read)
    assert ours.current_task().stage == "read"


def test_a_new_request_has_no_stage_yet(pair):
    ours, theirs, _ = pair
    theirs.set_stage(theirs.register_stage("read"))
    theirs.begin(2, 1.0)
    assert ours.current_task() == CurrentTask(2, 1.0, "")


def test_more_stages_than_the_page_holds_have_no_name(pair):
    ours, theirs, _ = pair
    indexes = [theirs.register_stage(f"stage {number}") for number in range(200)]
    assert indexes[-1] == 0
    theirs.set_stage(max(indexes))
    assert ours.current_task().stage == f"stage {max(indexes) - 1}"
    theirs.set_stage(indexes[-1])
    assert ours.current_task().stage == ""


def test_a_long_or_foreign_name_is_cut_not_refused(pair):
    ours, theirs, _ = pair
    theirs.set_stage(theirs.register_stage("ü" * 100))
    assert ours.current_task().stage == "ü" * 16


def test_the_worker_sees_which_requests_are_cancelled(pair):
    ours, theirs, _ = pair
    ours.cancel_up_to(5)
    assert [theirs.is_cancelled(number) for number in (4, 5, 6)] == [True, True, False]


def test_growth_is_measured_from_the_first_record(pair):
    ours, theirs, _ = pair
    assert ours.growth() == 0
    theirs.record_memory(1000)
    theirs.record_memory(5000)
    assert ours.growth() == 4000
    theirs.record_memory(10)
    assert ours.growth() == 0


WRITER = """
import os, sys
from pixmill.engine.ipc.status_slot import StatusSlot, redirect_output
fd = int(sys.argv[1])
status_slot = StatusSlot.attach(fd)
redirect_output(fd)
os.write(2, b"of the first request, and rather long")
status_slot.clear_output()
os.write(1, b"second")
if len(sys.argv) > 2:
    for _ in range(1000):
        os.write(2, b"x" * 1000)
if len(sys.argv) > 3:
    status_slot.clear_output()
"""


def write(fd, *arguments):
    subprocess.run([sys.executable, "-c", WRITER, str(fd), *arguments], pass_fds=[fd], check=True, capture_output=True)


def test_the_output_is_that_of_the_current_request(pair):
    ours, _, fd = pair
    write(fd)
    assert ours.output() == "second"


def test_much_output_is_kept_in_part_and_only_while_the_request_lasts(pair):
    ours, _, fd = pair
    before = os.fstat(fd).st_size
    write(fd, "much")
    assert ours.output().startswith("secondxxx")
    assert len(ours.output()) < 20_000
    write(fd, "much", "and forget it")
    assert ours.output() == ""
    assert os.fstat(fd).st_size == before
