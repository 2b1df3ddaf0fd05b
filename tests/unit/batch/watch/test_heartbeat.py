"""The sign of life that a health check reads."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pixmill.batch.watch.heartbeat import GRACE_SECONDS, HEARTBEAT_FILE, Heartbeat, liveness_problem

BEATS = """
import sys, time
from pathlib import Path
from pixmill.batch.watch.heartbeat import Heartbeat
heart = Heartbeat(Path(sys.argv[1]), max_busy=60.0, clock=time.monotonic)
heart.beat()
print("beats", flush=True)
sys.stdin.read()
"""


def test_without_a_sign_nobody_is_watching(tmp_path):
    assert liveness_problem(tmp_path) == "no watch is running"


@pytest.mark.parametrize("damage", [b"", b"{", b'{"\xff": 1}'])
def test_a_sign_that_cannot_be_read_is_none(tmp_path, damage):
    (tmp_path / HEARTBEAT_FILE).write_bytes(damage)
    assert liveness_problem(tmp_path) == "no watch is running"


def test_a_fresh_sign_is_life_and_silence_is_not(tmp_path):
    heart = Heartbeat(tmp_path, max_busy=60.0, clock=time.monotonic)
    heart.beat()
    assert liveness_problem(tmp_path) == ""
    assert liveness_problem(tmp_path, now=lambda: time.time() + GRACE_SECONDS + 59) == ""
    assert f"process {os.getpid()} has not sent a heartbeat for" in liveness_problem(
        tmp_path, now=lambda: time.time() + GRACE_SECONDS + 61
    )


def test_the_sign_is_renewed_every_other_second_and_taken_away_at_the_end(tmp_path):
    times = iter([10.0, 10.0, 11.0, 12.5, 12.5])
    heart = Heartbeat(tmp_path, max_busy=60.0, clock=lambda: next(times))
    heart.beat()
    os.utime(tmp_path / HEARTBEAT_FILE, (0, 0))
    heart.beat()
    assert (tmp_path / HEARTBEAT_FILE).stat().st_mtime == 0
    heart.beat()
    assert (tmp_path / HEARTBEAT_FILE).stat().st_mtime > 0
    heart.end()
    assert liveness_problem(tmp_path)


def test_a_process_that_is_stopped_or_dead_is_seen_at_once(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", BEATS, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout.readline() == "beats\n"
        assert liveness_problem(tmp_path) == ""
        child.send_signal(signal.SIGSTOP)
        os.waitpid(child.pid, os.WUNTRACED)
        assert liveness_problem(tmp_path) == f"process {child.pid} is stopped or dead"
        child.kill()
    assert liveness_problem(tmp_path) == f"process {child.pid} is stopped or dead"
