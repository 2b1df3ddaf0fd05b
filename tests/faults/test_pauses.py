"""A program that was stopped for a while has not been slow."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from support.processes import grandchildren, wait_until

SCRIPT = """
from pixmill.core.units import Duration
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF

tasks = (Task.of(str(n), b"sleep 0.6") for n in range(8))
with open_run(tasks, REF, workers=2, policy=Policy(timeout=Duration(3))) as run:
    for outcome in run:
        print(type(outcome).__name__, outcome.attempts, flush=True)
"""


STOPPED_THERE = """
import os, signal, sys
from pixmill.core.units import Duration
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF

def stop_there(frame, event, _):
    if event == "call" and frame.f_code.co_name == "enforce_deadlines":
        sys.setprofile(None)
        print("stopped", flush=True)
        os.killpg(0, signal.SIGSTOP)

tasks = (Task.of(str(n), b"sleep 0.6") for n in range(6))
with open_run(tasks, REF, workers=2, policy=Policy(timeout=Duration(3))) as run:
    outcomes = iter(run)
    next(outcomes)
    sys.setprofile(stop_there)
    for outcome in outcomes:
        print(type(outcome).__name__, outcome.attempts, flush=True)
"""


def test_a_pause_of_the_whole_group_times_nobody_out():
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], start_new_session=True, stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: len(grandchildren(process.pid)) == 2)
        for _ in range(2):
            os.killpg(process.pid, signal.SIGSTOP)
            time.sleep(4)  # the pause itself: longer than the deadline
            os.killpg(process.pid, signal.SIGCONT)
            time.sleep(0.3)  # so that the second pause falls into the middle of a task
        out, _ = process.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert out.splitlines() == ["Done 1"] * 8


def test_a_pause_between_the_look_at_the_clock_and_the_look_at_the_workers_times_nobody_out():
    process = subprocess.Popen([sys.executable, "-c", STOPPED_THERE], start_new_session=True, stdout=subprocess.PIPE, text=True)
    try:
        before = ""
        while (line := process.stdout.readline()) not in ("stopped\n", ""):
            before += line
        assert line, "it was never stopped"
        time.sleep(4)  # the pause itself: longer than the deadline
        os.killpg(process.pid, signal.SIGCONT)
        out, _ = process.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert (before + out).splitlines() == ["Done 1"] * 5
