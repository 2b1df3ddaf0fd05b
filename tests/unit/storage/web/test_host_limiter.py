"""Turns at a host, taken by several processes."""

import os
import select
import signal
import stat
import subprocess
import sys
import time

import pytest

from pixmill.storage.web.host_limiter import HostLimiter

TAKE_A_TURN = """
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
def take_a_turn(folder):
    started = []

    def start():
        command = [sys.executable, "-c", TAKE_A_TURN, folder]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def has_entered(process, seconds):
    readable, _, _ = select.select([process.stdout], [], [], seconds)
    return bool(readable) and process.stdout.readline() == b"entered\n"


def test_no_more_than_are_allowed_are_at_a_host_and_the_dead_leave_their_place(folder, take_a_turn):
    first, second = take_a_turn(), take_a_turn()
    assert has_entered(first, 60)
    assert has_entered(second, 60)
    waiting = take_a_turn()
    with HostLimiter(max_concurrency=2, folder=folder).slot("another.org"):
        pass  # another host has places of its own
    assert not has_entered(waiting, 1)
    os.kill(first.pid, signal.SIGKILL)
    assert has_entered(waiting, 60)


def test_a_place_is_held_though_others_of_this_process_were_here_and_left(folder, take_a_turn):
    with HostLimiter(max_concurrency=2, folder=folder).slot("example.org"):
        another = HostLimiter(max_concurrency=2, folder=folder)
        del another
        assert has_entered(take_a_turn(), 60)
        assert not has_entered(take_a_turn(), 1)


def test_requests_keep_their_distance_in_time(folder):
    now, slept = 1000.0, []
    turns = HostLimiter(max_concurrency=8, rate=4, folder=folder, clock=lambda: now, sleep=slept.append)
    for _ in range(4):
        with turns.slot("example.org"):
            pass
    with turns.slot("another.org"):
        pass
    assert slept == [0.25, 0.5, 0.75]


def test_what_was_written_before_this_machine_was_started_does_not_count(folder):
    slept = []
    for now in (1_000_000.0, 5.0):
        turns = HostLimiter(max_concurrency=8, rate=1, folder=folder, clock=lambda: now, sleep=slept.append)  # noqa: B023  # it is used at once
        with turns.slot("example.org"):
            pass
    assert slept == []


def test_the_file_is_of_this_user_alone(folder):
    HostLimiter(max_concurrency=1, folder=folder)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700  # noqa: PTH116  # it is text
    os.chmod(folder, 0o777)  # noqa: PTH101  # the same
    assert HostLimiter(max_concurrency=1, folder=folder)._locks == -1


def test_where_there_is_no_room_for_the_file_requests_go_on(tmp_path):
    turns = HostLimiter(max_concurrency=1, rate=1, folder=str(tmp_path / "not" / "there"), sleep=time.sleep)
    with turns.slot("example.org"):
        pass
