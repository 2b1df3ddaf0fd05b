from pixmill.batch.item import ImageResult, OutputRecord, pack
from pixmill.batch.live.collector import LiveCollector
from pixmill.engine.events import RunEnded, RunStalled, RunStarted, TaskFinished, WorkersSeen
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.task import Counts, Done, Failed, Failure, Skipped, Task

FAULT = Failure(code="decode", stage="decode", message="damaged")


def made(name, size=50):
    product = ImageResult((OutputRecord(name, size, 4, 3, "jpeg", bytes(16)),), (), 100)
    return Done(task=Task.of(name), result=pack(product), seconds=0.5)


def finish(witness, outcome, at=1001.0):
    witness.on_event(TaskFinished(at=at, outcome=outcome))


def test_it_adds_up_what_the_report_adds_up():
    witness = LiveCollector(1000.0)
    finish(witness, made(b"a.jpg"))
    finish(witness, made(b"b.jpg", size=150), at=1003.5)
    finish(witness, Failed(task=Task.of(b"c.jpg"), failure=FAULT))
    finish(witness, Skipped(task=Task.of(b"d.jpg")))
    found = witness.statistics
    assert (found.counts.done, found.counts.failed, found.grown) == (2, 1, 1)
    assert [(part.done, part.failed) for part in found.timeline.parts] == [(0, 0), (1, 1), (0, 0), (1, 0)]
    assert witness.latest.key == b"b.jpg"


def test_a_failure_of_an_earlier_run_is_listed_but_is_none_of_the_throughput():
    witness = LiveCollector(1000.0)
    finish(witness, Failed(task=Task.of(b"c.jpg"), failure=FAULT, remembered=True))
    assert witness.statistics.errors["decode"].count == 1
    assert witness.statistics.timeline.parts == ()


def test_silence_lasts_until_something_finishes():
    witness = LiveCollector(1000.0)
    witness.on_event(RunStalled(at=0, seconds=60, posts=()))
    assert witness.stalled_for == 60
    finish(witness, made(b"a.jpg"))
    assert witness.stalled_for == 0


def test_who_is_at_work_is_known_until_the_run_ends():
    witness = LiveCollector(1000.0)
    witness.on_event(RunStarted(at=0, run=3, workers=2))
    witness.on_event(WorkersSeen(at=0, memory=1, posts=(WorkerStatus(pid=1, key=b"a.jpg", stage="decode"), WorkerStatus(pid=2))))
    assert (witness.run_number, [post.pid for post in witness.workers]) == (3, [1])
    witness.on_event(RunEnded(at=0, counts=Counts(), reason="finished", seconds=1))
    assert witness.workers == ()
