import pytest

from pixmill.engine.events import RunStalled, RunStarted, TaskFinished, WorkersSeen
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.observability.stalls import StallDetector
from pixmill.engine.task import Done, Task

BUSY = WorkerStatus(pid=7, key=b"a.jpg", stage="decode", seconds=3.0)
IDLE = WorkerStatus(pid=8)


class Notes:
    def __init__(self):
        self.events = []

    def on_event(self, event):
        self.events.append(event)


class Watched:
    """A detector, a clock that is moved, and the events that the detector sent."""

    def __init__(self):
        self.now = 0.0
        self.notes = Notes()
        self.detector = StallDetector([self.notes], threshold=10, clock=lambda: self.now)

    def see_workers(self, at, *statuses):
        self.now = at
        self.detector.on_event(WorkersSeen(at=1000 + at, memory=0, posts=statuses))

    def finish(self, at):
        self.now = at
        self.detector.on_event(TaskFinished(at=at, outcome=Done(task=Task(b"", b"b"))))

    @property
    def silences(self):
        return [event.seconds for event in self.notes.events]


@pytest.fixture
def watched():
    return Watched()


def test_the_busy_workers_are_reported_when_nothing_has_finished_for_long(watched):
    watched.see_workers(9, BUSY, IDLE)
    assert watched.notes.events == []
    watched.see_workers(10, BUSY, IDLE)
    assert watched.notes.events == [RunStalled(at=1010, seconds=10, posts=(BUSY,))]


def test_it_is_reported_again_each_time_the_silence_has_doubled(watched):
    for second in range(60):
        watched.see_workers(second, BUSY)
    assert watched.silences == [10, 20, 40]


def test_progress_ends_a_stall(watched):
    watched.see_workers(15, BUSY)
    watched.finish(16)
    watched.see_workers(25, BUSY)
    assert watched.silences == [15]
    watched.see_workers(27, BUSY)
    assert watched.silences == [15, 11]


def test_a_run_that_has_nothing_to_do_is_not_stalled(watched):
    watched.see_workers(100, IDLE, IDLE)
    assert watched.silences == []


def test_the_silence_begins_when_the_run_does(watched):
    watched.now = 100.0
    watched.detector.on_event(RunStarted(at=0, run=1, workers=1))
    watched.see_workers(109, BUSY)
    assert watched.silences == []
