"""The broker does for workers what they may not do, and its death costs no task."""

import os
import signal
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from pixmill.core.errors import RunError
from pixmill.core.units import TimeLimit
from pixmill.engine.broker import BrokerRef
from pixmill.engine.events import TaskFinished, TaskRetried
from pixmill.engine.handler import HandlerRef
from pixmill.engine.policy import Policy
from pixmill.engine.resources.sandbox import Sandbox
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task
from support.processes import wait_until


def handler_ref(path, serve="serve"):
    options = os.fsencode(path)
    return HandlerRef(
        "support.brokered:handler",
        options,
        confinement=Sandbox(()),
        broker=BrokerRef(f"support.brokered:{serve}", options, confinement=Sandbox((os.fsencode(path.parent),))),
    )


def test_each_worker_reaches_the_same_broker(tmp_path):
    tasks = [Task.of(str(number), b"%d" % number) for number in range(200)]
    with open_run(tasks, handler_ref(tmp_path / "log"), workers=3) as run:
        outcomes = list(run)
    assert len({outcome.result for outcome in outcomes}) == 1
    assert sorted((tmp_path / "log").read_text().split(), key=int) == [str(number) for number in range(200)]
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


class Suspects:
    """Observes which tasks were in progress when a broker died, and have no outcome yet."""

    def __init__(self):
        self.keys = set()

    def on_event(self, event):
        if isinstance(event, TaskRetried):
            self.keys.add(event.attempt.task.key)
        elif isinstance(event, TaskFinished):
            self.keys.discard(event.outcome.task.key)

    def close(self):
        pass


def test_a_broker_that_is_killed_costs_no_task(tmp_path, born):
    """None is killed while a task that the last death interrupted is tried alone: that would be taken for the fault of the task."""
    killed, outcomes, suspects, given = set(), [], Suspects(), []

    def tasks():
        while len(killed) < 4:
            given.append(Task.of(str(len(given)), b"%d" % len(given)))
            yield given[-1]

    next_kill = 700
    with open_run(tasks(), handler_ref(tmp_path / "log"), workers=2, observers=[suspects]) as run:
        for outcome in run:
            outcomes.append(outcome)
            if len(outcomes) >= next_kill and not suspects.keys and isinstance(outcome, Done) and int(outcome.result) not in killed:
                next_kill = len(outcomes) + 700
                killed.add(int(outcome.result))
                os.kill(int(outcome.result), signal.SIGKILL)
    assert [outcome.failure for outcome in outcomes if not isinstance(outcome, Done)] == []
    assert {outcome.task.key for outcome in outcomes} == {task.key for task in given}
    assert len(outcomes) == len(given) > 2800
    assert born() == []
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in killed))


def test_a_broker_that_cannot_start_ends_the_run_and_says_why(tmp_path):
    with open_run([Task.of("a")], handler_ref(tmp_path / "log", "refuse"), workers=1) as run, pytest.raises(RunError) as raised:
        list(run)
    assert "no broker today" in raised.value.message


def test_a_worker_that_starts_late_costs_no_task_however_short_the_deadline(tmp_path):
    tasks = (Task.of(str(number), b"%d" % number) for number in count())
    policy = Policy(timeout=TimeLimit(1.5), attempts=1, recycle_tasks=0)  # 10,000 are done before another has started
    outcomes = []
    with open_run(tasks, handler_ref(tmp_path / "log", "serve_the_second_late"), workers=2, policy=policy) as run:
        for outcome in run:
            outcomes.append(outcome)
            sockets = sum(map(_is_socket, Path(f"/proc/{int(outcome.result)}/fd").iterdir()))
            if sockets >= 1 + 2:
                break
    assert {type(each) for each in outcomes} == {Done}
    assert len({each.result for each in outcomes}) == 1, "the broker was started again"


def test_the_broker_holds_no_descriptor_of_a_worker(tmp_path):
    """Its sockets are the one over which connections come, and those of the workers, of which two are started in any order."""
    counts = []
    with open_run((Task.of(str(number), b"1") for number in count()), handler_ref(tmp_path / "log"), workers=2) as run:
        for outcome in run:
            counts.append(sum(map(_is_socket, Path(f"/proc/{int(outcome.result)}/fd").iterdir())))
            if counts[-1] >= 1 + 2:
                break
    assert set(counts) <= {1 + 1, 1 + 2}


def _is_socket(descriptor: Path) -> bool:
    with suppress(FileNotFoundError):  # the log was open, and has been closed
        return str(descriptor.readlink()).startswith("socket:")
    return False
