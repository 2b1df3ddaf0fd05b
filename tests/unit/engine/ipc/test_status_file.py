"""The file that shows the next run what was at work when one died."""

import os
from pathlib import Path

import pytest

from pixmill.engine.ipc.status_file import DeadRun, StatusFile, read_status_file
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.task import Attempt, BegunTask, Task

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="without allocated blocks there is no such file")
FIRST, SECOND = (Attempt(Task.of(name)) for name in "ab")


@pytest.fixture
def published():
    return []


@pytest.fixture
def file(tmp_path, published):
    path = tmp_path / "status"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    status = StatusFile(fd, boot="boot", publish=lambda: published.append(path), remove=path.unlink)
    yield status
    status.close()


@pytest.fixture
def read(tmp_path):
    return lambda: read_status_file((tmp_path / "status").read_bytes(), elapsed=110.0, now=1000.0)


def test_nothing_is_said_before_the_run_has_begun(file, published, read):
    file.open_place()
    assert read() is None
    assert not published
    file.begin_run(3, 5.0)
    assert published
    assert read() == DeadRun(3, was_stopping=False, boot="boot", begun=())


def test_it_shows_the_task_that_each_worker_has_begun_and_how_long_it_had(file, read):
    file.begin_run(1, 5.0)
    places = [file.open_place() for _ in range(3)]
    slots = [StatusSlot(place.memory) for place in places]
    for place in places[:2]:
        place.assign(1, FIRST)
        place.assign(2, SECOND)
    slots[0].begin(1, 100.0)
    places[0].end(1, has_failed=True)
    slots[0].begin(2, 102.0)
    slots[1].begin(1, 104.0)
    file.set_active(107.0)
    begun = [
        BegunTask(id=SECOND.task.id, started_at=992.0, seconds=5.0, alone=False),
        BegunTask(id=FIRST.task.id, started_at=994.0, seconds=3.0, alone=False),
    ]
    assert read().begun == tuple(begun)
    for slot in slots:
        slot.close()


def test_a_task_that_waits_for_a_retry_is_not_at_work(file, read):
    file.begin_run(1, 5.0)
    place = file.open_place()
    place.begin(1, FIRST, 6.0)
    place.end(1, has_failed=True)
    assert read().begun == ()


def test_a_result_that_is_received_is_kept_until_the_next_one_is(file, read):
    file.begin_run(1, 5.0)
    place = file.open_place()
    place.begin(1, FIRST, 6.0)
    place.begin(2, SECOND, 7.0)
    place.end(1, has_failed=False)
    assert {begun.id for begun in read().begun} == {FIRST.task.id, SECOND.task.id}
    place.end(2, has_failed=False)
    assert {begun.id for begun in read().begun} == {SECOND.task.id}


def test_a_dead_worker_has_nothing_at_work_and_its_place_is_used_again(file, read):
    file.begin_run(1, 5.0)
    place = file.open_place()
    place.begin(1, FIRST, 6.0)
    place.close()
    assert read().begun == ()
    again = file.open_place()
    assert again.offset == place.offset
    assert file.open_place().offset != place.offset
    assert read().begun == ()


@pytest.mark.parametrize(("exclusive", "deaths", "alone"), [(True, 2, True), (True, 0, False), (False, 1, False)])
def test_it_shows_which_suspect_was_alone(file, read, exclusive, deaths, alone):
    file.begin_run(1, 5.0)
    file.open_place().begin(1, Attempt(FIRST.task, exclusive=exclusive, deaths=deaths), 6.0)
    assert [begun.alone for begun in read().begun] == [alone]


def test_a_stop_is_shown_also_one_before_the_begin(file, read):
    file.set_stopping()
    file.begin_run(1, 5.0)
    assert read().was_stopping
    file.close()
    file.set_stopping()  # a late signal


def test_thousands_of_requests_later_the_right_task_is_shown(file, read):
    file.begin_run(1, 5.0)
    place = file.open_place()
    for number in range(1, 5000):
        place.assign(number, Attempt(Task.of(str(number))))
    place.begin(4990, SECOND, 6.0)
    assert [begun.id for begun in read().begun] == [SECOND.task.id]


def test_an_orderly_end_removes_it(file, tmp_path):
    file.begin_run(1, 5.0)
    file.end_run()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"x" * 10, bytes(300_000), b"\xff" * 300_000])
def test_what_is_no_status_file_says_nothing(content):
    assert read_status_file(content, elapsed=1.0, now=2.0) is None


def test_on_a_full_disk_a_worker_has_no_place():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full")
    fd = os.open(full, os.O_RDWR)
    try:
        with pytest.raises(OSError, match=r".+"):
            StatusFile(fd, boot="", publish=list, remove=list)
    finally:
        os.close(fd)


def test_a_worker_that_goes_on_after_the_death_of_the_coordinator_hides_nothing(file, read):
    file.begin_run(1, 5.0)
    place = file.open_place()
    slot = StatusSlot(place.memory)
    for number, attempt in enumerate([FIRST, SECOND], 1):
        place.assign(number, attempt)
        slot.begin(number, 100.0)
    slot.close()
    assert {begun.id for begun in read().begun} == {FIRST.task.id, SECOND.task.id}


def test_a_request_that_was_cancelled_has_not_begun(file, read):
    file.begin_run(1, 5.0)
    place = file.open_place()
    place.begin(1, FIRST, 6.0)
    place.forget(1)
    assert read().begun == ()


def test_a_signal_while_it_is_closed_does_no_harm(file, monkeypatch):
    close = os.close
    monkeypatch.setattr(os, "close", lambda fd: (file.set_stopping(), close(fd)))
    file.close()
