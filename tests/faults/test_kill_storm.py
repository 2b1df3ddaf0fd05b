"""Workers are shot at random while they work: no outcome is lost, none comes twice, nobody is left behind."""

import os
import random
import signal
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.policy import Policy
from pixmill.engine.runner import open_run
from pixmill.engine.task import Done, Task
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until


@contextmanager
def shooting(every, targets, progress):
    """Kill one of ``targets()`` every so many seconds, from a thread; yields the list of the dead.

    Only where ``progress()`` has changed since the last kill: a crew that is given no time to start gives up, and is right to.
    """
    dead, over = [], threading.Event()

    def shoot():
        chance, connect = random.Random(7), None
        while not over.wait(every):
            living, last = targets(), connect
            connect = progress()
            if living and connect != last:
                victim = chance.choice(living)
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    dead.append(victim)

    thread = threading.Thread(target=shoot)
    thread.start()
    try:
        yield dead
    finally:
        over.set()
        thread.join()


def test_in_a_storm_of_kills_every_task_gets_exactly_one_outcome(born):
    count, seen, ledger = 20_000, {}, MemoryLedger()
    tasks = (Task.of(str(number), b"sleep 0.0005") for number in range(count))
    with (
        open_run(tasks, REF, workers=3, ledger=ledger, policy=Policy(attempts=5)) as run,
        shooting(0.05, lambda: born(2), lambda: len(seen)) as dead,
    ):
        for outcome in run:
            seen.setdefault(outcome.task.key, []).append(outcome)
    assert len(dead) > 20
    assert {len(outcomes) for outcomes in seen.values()} == {1}
    assert len(seen) == count
    assert run.counts.found == count
    assert run.counts.pending == 0
    assert sum(isinstance(outcome, Done) for (outcome,) in seen.values()) > count * 0.99
    assert ledger.counts().pending == 0
    assert born() == []


def test_a_nursery_that_is_shot_is_replaced(born):
    tasks = (Task.of(str(number), b"sleep 0.002") for number in range(2000))
    with open_run(tasks, REF, workers=2) as run, shooting(0.5, born, lambda: run.counts.done) as dead:
        outcomes = list(run)
    assert dead
    assert len({outcome.task.key for outcome in outcomes}) == len(outcomes) == 2000
    assert born() == []
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in dead))
