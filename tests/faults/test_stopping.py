"""A run that is asked to stop ends soon, keeps what is finished, and gives the rest back."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from pixmill.core.errors import RunError
from pixmill.core.units import Duration
from pixmill.engine.ledger import State
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task
from pixmill.testing.faulty_handlers import REF
from support.processes import grandchildren, wait_until


def many(payload, count=10**9):
    return (Task.of(str(number), payload.encode()) for number in range(count))


def untouched(ledger):
    """Return how many records do not look as if nothing had ever been tried, among the pending."""
    return {(record.attempts, record.interruptions) for record in ledger.records(State.PENDING)}


def test_after_a_stop_what_is_in_flight_finishes_and_the_rest_is_pending():
    ledger = MemoryLedger()
    with open_run(many("sleep 0.3"), REF, workers=2, ledger=ledger) as run:
        outcomes = iter(run)
        next(outcomes)
        run.stop("SIGTERM")
        rest = list(outcomes)
    assert 1 <= len(rest) <= 4
    assert all(isinstance(outcome, Done) for outcome in rest)
    assert run.reason == "SIGTERM"
    assert run.counts.done == len(rest) + 1
    assert run.counts.pending == run.counts.found - run.counts.done
    assert untouched(ledger) == {(0, 0)}


def test_after_a_stop_a_deep_queue_at_a_worker_is_given_back():
    tasks = itertools.chain(many("echo x", 3000), (Task.of(f"slow {number}", b"sleep 0.2") for number in range(10**9)))
    with open_run(tasks, REF, workers=2, policy=Policy(grace=Duration(1000))) as run:
        outcomes = iter(run)
        while not next(outcomes).task.key.startswith(b"slow"):
            pass
        run.stop("SIGTERM")
        rest = list(outcomes)
    assert len(rest) <= 60  # of the hundreds that were queued: who is slow to call them back finds a few more done
    assert run.counts.failed == 0


def test_what_does_not_finish_within_the_grace_is_killed_and_stays_pending(born):
    ledger = MemoryLedger()
    with open_run(many("sleep 100"), REF, workers=2, ledger=ledger, policy=Policy(grace=Duration(0.5))) as run:
        wait_until(lambda: born(2))
        threading.Timer(0.5, run.stop, ["SIGINT"]).start()
        began = time.monotonic()
        assert list(run) == []
        assert time.monotonic() - began > 0.5
    assert (run.counts.done, run.counts.failed) == (0, 0)
    assert run.counts.pending == run.counts.found > 0
    assert untouched(ledger) == {(0, 0)}
    assert born() == []


def test_a_kill_does_not_wait_for_the_grace():
    with open_run(many("sleep 100"), REF, workers=2, policy=Policy(grace=Duration(1000))) as run:
        threading.Timer(0.3, run.stop, ["SIGINT"]).start()
        threading.Timer(0.6, run.kill).start()
        assert list(run) == []
    assert run.reason == "SIGINT"


def test_a_fatal_failure_ends_the_run_and_leaves_its_task_pending():
    ledger = MemoryLedger()
    tasks = [*many("echo x", 500), Task.of("fatal", b"raise fatal"), *(Task.of(f"after {n}", b"sleep 0.05") for n in range(500))]

    def drain():
        with open_run(tasks, REF, workers=2, ledger=ledger) as run:
            list(run)

    with pytest.raises(RunError, match="the disk is full") as caught:
        drain()
    assert (caught.value.code, caught.value.hint) == ("disk-full", "make room")
    assert ledger.counts().failed == 0
    assert {record.key: record.state for record in ledger.records()}[b"fatal"] == State.PENDING
    assert untouched(ledger) == {(0, 0)}
    assert [record.reason for record in ledger.runs()] == ["the disk is full"]


SIGNALLED = """
import signal, sys
from pixmill.engine.runner import open_run
from pixmill.engine.task import Task
from pixmill.testing.faulty_handlers import REF

with open_run((Task.of(str(n), b"sleep 0.2") for n in range(10**9)), REF, workers=2) as run:
    signal.signal(signal.SIGINT, lambda *_: run.stop("SIGINT"))
    outcomes = iter(run)
    next(outcomes)
    print("ready", flush=True)
    done = 1 + sum(1 for outcome in outcomes)
    print(run.counts.done == done > 0, run.counts.failed, run.reason, flush=True)
"""


def test_a_ctrl_c_that_the_whole_group_gets_kills_nothing_in_flight():
    process = subprocess.Popen([sys.executable, "-c", SIGNALLED], start_new_session=True, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: len(grandchildren(process.pid)) == 2)
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert out == "True 0 SIGINT\n"
