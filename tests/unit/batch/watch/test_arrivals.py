"""The stream of tasks, drawn by hand: a path has one task at a time."""

import time
from pathlib import Path

import pytest
from PIL import Image

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.plan import plan
from pixmill.batch.watch.arrivals import Arrivals, Clocks
from pixmill.batch.watch.events import CaughtUp
from pixmill.batch.watch.options import WatchOptions
from pixmill.core.units import Duration
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.task import Done, Failed, Failure

DEADLINE = 30.0
SETTLE = 0.05


class Drawn:
    """Arrivals of a folder, and what was told meanwhile."""

    def __init__(self, folder):
        config = RunConfig(source=str(folder / "in"), destination=str(folder / "out"))
        self.told = []
        self.ledger = MemoryLedger()
        self.should_continue = True
        self.arrivals = Arrivals(
            plan(config),
            self.ledger,
            WatchOptions(settle=Duration(SETTLE)),
            publish=lambda kind, **_: self.told.append(kind),
            should_continue=lambda: self.should_continue,
            clocks=Clocks(time.monotonic, time.time),
        )
        self._stream = iter(self.arrivals)

    def next_task(self):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            task = next(self._stream)
            if task is not None:
                return task
        pytest.fail("no task came")

    def draw(self, is_enough):
        """Draw until ``is_enough()``; return the tasks that came."""
        tasks = []
        end = time.monotonic() + DEADLINE
        while not is_enough():
            assert time.monotonic() < end
            task = next(self._stream)
            tasks += [task] if task else []
        return tasks


def picture(path: Path, shade):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(path)


@pytest.fixture
def drawn(tmp_path):
    (tmp_path / "in").mkdir()
    made = Drawn(tmp_path)
    yield made
    made.should_continue = False
    assert set(made._stream) <= {None}  # it ends when it is told to, and closes what it opened


def test_an_image_that_changes_while_it_is_worked_on_comes_again_once_that_is_over(drawn, tmp_path):
    picture(tmp_path / "in" / "a.jpg", 10)
    first = drawn.next_task()
    picture(tmp_path / "in" / "a.jpg", 200)
    assert drawn.draw(lambda: b"a.jpg" in drawn.arrivals._changed_in_flight) == []
    drawn.arrivals.finished(Done(task=first))
    second = drawn.next_task()
    assert (second.key, second.id == first.id) == (b"a.jpg", False)


def test_an_image_that_failed_because_it_was_not_there_is_tried_again_when_it_is(drawn, tmp_path):
    picture(tmp_path / "in" / "a.jpg", 10)
    first = drawn.next_task()
    drawn.ledger.get_or_add([first])
    gone = Failure(code="read-vanished", stage="read", message="it is gone")
    drawn.ledger.record_outcomes([Failed(task=first, failure=gone)])
    drawn.arrivals.finished(Failed(task=first, failure=gone, remembered=True))
    assert drawn.next_task() == first
    assert drawn.ledger.get_exact([first]) == [None]


def test_an_image_that_failed_for_a_reason_of_its_own_is_not(drawn, tmp_path):
    picture(tmp_path / "in" / "a.jpg", 10)
    first = drawn.next_task()
    broken = Failure(code="decode", stage="decode", message="it is broken")
    drawn.arrivals.finished(Failed(task=first, failure=broken, remembered=True))
    assert drawn.draw(lambda: CaughtUp in drawn.told) == []


def test_it_is_not_caught_up_while_an_image_is_worked_on(drawn, tmp_path):
    drawn.draw(lambda: CaughtUp in drawn.told)
    drawn.told.clear()
    picture(tmp_path / "in" / "a.jpg", 10)
    first = drawn.next_task()
    drawn.draw(lambda: not drawn.arrivals._debouncer)
    assert CaughtUp not in drawn.told
    drawn.arrivals.finished(Done(task=first))
    drawn.draw(lambda: CaughtUp in drawn.told)
