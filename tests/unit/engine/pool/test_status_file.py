"""What the status file shows while a pool works, and after its coordinator was killed."""

import os
import time
from contextlib import closing

import pytest

from pixmill.engine.executor import Completed, Lost
from pixmill.engine.ipc.status_file import StatusFile, read_status_file
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.engine.task import Attempt, Task
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until


@pytest.fixture
def status(tmp_path):
    fd = os.open(tmp_path / "status", os.O_RDWR | os.O_CREAT)
    with closing(StatusFile(fd, boot="", publish=list, remove=list)) as status_file:
        status_file.begin_run(1, time.monotonic())
        yield status_file


@pytest.fixture
def begun(tmp_path):
    """Return a function that returns the ids of the tasks that are shown as begun."""

    def read():
        shown = read_status_file((tmp_path / "status").read_bytes(), elapsed=time.monotonic(), now=time.time())
        return {begun.id for begun in shown.begun}

    return read


def attempt(key, payload):
    return Attempt(Task.of(key, payload.encode()))


def completed(pool, count):
    found = []
    while len(found) < count:
        found += [event for event in pool.wait(1) if isinstance(event, Completed | Lost)]
    return found


def test_what_a_worker_has_begun_is_shown_and_what_is_queued_at_it_is_not(status, begun):
    with closing(Pool(REF, Policy(), workers=1, status_file=status)) as pool:
        pool.submit([attempt(str(number), "echo x") for number in range(pool.capacity())])
        completed(pool, 1)
        tasks = [attempt("slow", "sleep 60"), attempt("queued", "echo x")]
        pool.submit(tasks)
        wait_until(lambda: tasks[0].task.id in begun())
        assert tasks[1].task.id not in begun()


def test_what_is_taken_back_from_a_busy_worker_is_not_shown_there(status, begun):
    with closing(Pool(REF, Policy(), workers=2, status_file=status)) as pool:
        for number in range(6):
            pool.submit([attempt(f"{number} {index}", "echo x") for index in range(pool.capacity())])
            pool.wait(1)
        pool.wait(1)
        slow = [attempt(f"slow {number}", "sleep 0.4") for number in range(8)]
        pool.submit(slow)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            pool.wait(0.02)
            shown = begun()
            pool.wait(0.02)  # a worker may have begun the next before its last result was read
            at_work = shown & begun() & {each.task.id for each in slow}
            assert len(at_work) <= 4  # one and the last result of each worker


def test_a_task_that_took_its_worker_along_is_not_at_work(status, begun):
    with closing(Pool(REF, Policy(), workers=1, status_file=status)) as pool:
        pool.submit([attempt("poison", "signal 9")])
        completed(pool, 1)
        assert begun() == set()


def test_a_task_that_failed_and_may_be_retried_is_not_at_work(status, begun):
    with closing(Pool(REF, Policy(), workers=1, status_file=status)) as pool:
        pool.submit([attempt("transient", "raise transient")])
        completed(pool, 1)
        assert begun() == set()
