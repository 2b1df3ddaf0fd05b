"""Request slots of a host, shared by several processes."""

import os
import select
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

from pixmill.storage.web.host_limiter import HostLimiter

OCCUPY_A_SLOT = """
import sys
from pixmill.storage.web.host_limiter import HostLimiter

with HostLimiter(max_concurrency=2, folder=sys.argv[1]).slot("example.org"):
    print("entered", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "own")


@pytest.fixture
def occupy_a_slot(folder):
    started = []

    def start():
        command = [sys.executable, "-c", OCCUPY_A_SLOT, folder]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def has_entered(process, seconds):
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    return bool(readable) and process.stdout.readline() == b"entered\n"


def test_the_limit_of_a_host_holds_and_dead_processes_free_their_slots(folder, occupy_a_slot):
    first, second = occupy_a_slot(), occupy_a_slot()
    assert has_entered(first, 60)
    assert has_entered(second, 60)
    waiting = occupy_a_slot()
    with HostLimiter(max_concurrency=2, folder=folder).slot("another.org"):
        pass  # another host has its own slots
    assert not has_entered(waiting, 1)
    os.kill(first.pid, signal.SIGKILL)
    assert has_entered(waiting, 60)


def test_a_slot_stays_locked_when_other_slots_of_the_process_are_released(folder, occupy_a_slot):
    with HostLimiter(max_concurrency=2, folder=folder).slot("example.org"):
        another = HostLimiter(max_concurrency=2, folder=folder)
        del another
        assert has_entered(occupy_a_slot(), 60)
        assert not has_entered(occupy_a_slot(), 1)


def test_requests_keep_their_distance_in_time(folder):
    now, slept = 1000.0, []
    limiter = HostLimiter(max_concurrency=8, rate=4, folder=folder, clock=lambda: now, sleep=slept.append)
    for _ in range(4):
        with limiter.slot("example.org"):
            pass
    with limiter.slot("another.org"):
        pass
    assert slept == [0.25, 0.5, 0.75]


def test_what_was_written_before_this_machine_was_started_does_not_count(folder):
    slept = []
    for now in (1_000_000.0, 5.0):
        limiter = HostLimiter(max_concurrency=8, rate=1, folder=folder, clock=lambda: now, sleep=slept.append)  # noqa: B023  # it is used at once
        with limiter.slot("example.org"):
            pass
    assert slept == []


def test_the_file_is_of_this_user_alone(folder):
    HostLimiter(max_concurrency=1, folder=folder)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700  # noqa: PTH116  # it is text
    os.chmod(folder, 0o777)  # noqa: PTH101  # the same
    assert HostLimiter(max_concurrency=1, folder=folder)._locks == -1


def test_where_there_is_no_room_for_the_file_requests_go_on(tmp_path):
    limiter = HostLimiter(max_concurrency=1, rate=1, folder=str(tmp_path / "not" / "there"), sleep=time.sleep)
    with limiter.slot("example.org"):
        pass


def test_threads_of_one_process_share_the_slots(folder):
    at_once, most, lock = 0, 0, threading.Lock()

    def occupy():
        nonlocal at_once, most
        with HostLimiter(max_concurrency=2, folder=folder).slot("example.org"):
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.05)
            with lock:
                at_once -= 1

    threads = [threading.Thread(target=occupy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
