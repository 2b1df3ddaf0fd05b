import io

import pytest
from rich.console import Console as Terminal

from pixmill.batch.progress.progress import Progress, ProgressSnapshot
from pixmill.batch.progress.workload import WorkTotal
from pixmill.cli.console import Channel
from pixmill.cli.progress.bar import render
from pixmill.cli.progress.plain import PlainProgress
from pixmill.engine.events import AttemptStarted, RunStarted, SourceExhausted, TaskFinished, TaskFound, TaskRetried
from pixmill.engine.task import Attempt, Done, Failed, Failure, Outcome, Skipped, Task


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Story:
    """The events of a run as the engine would report them, at the times of ``clock``."""

    def __init__(self):
        self.clock = Clock()
        self.progress = Progress(self.clock, size_of=lambda task: len(task.payload))
        self.progress.on_event(RunStarted(at=0, run=1, workers=2))

    def find(self, count, *, size=1000, suffix=b".jpg"):
        tasks = [Task(id=bytes(16), key=b"%d%b" % (number, suffix), payload=bytes(size)) for number in range(count)]
        for task in tasks:
            self.progress.on_event(TaskFound(at=0, task=task))
        return tasks

    def start(self, *tasks):
        for task in tasks:
            self.progress.on_event(AttemptStarted(at=0, attempt=Attempt(task)))

    def finish(self, outcome: Outcome):
        self.progress.on_event(TaskFinished(at=0, outcome=outcome))


MADE = {"bytes_in": 3_000_000, "bytes_out": 1_000_000, "pixels_in": 10_000_000}
FAULT = Failure(code="decode", stage="decode", message="damaged")


def test_rates_are_those_of_the_last_ten_seconds():
    story = Story()
    tasks = story.find(100)
    for second in range(30):
        story.clock.now = 100.0 + second
        story.progress.snapshot()
        for task in tasks[second : second + (1 if second < 18 else 3)]:
            story.finish(Done(task=task, measures=MADE))
    story.clock.now = 130.0
    now = story.progress.snapshot()
    assert now.images_rate == pytest.approx(3.0)
    assert now.pixels_rate == pytest.approx(30e6)
    assert now.elapsed == 30.0


def test_the_time_left_is_withheld_until_the_total_is_known():
    story = Story()
    tasks = story.find(40)
    story.start(tasks[0])
    for task in tasks[:10]:
        story.finish(Done(task=task, measures=MADE))
    story.clock.now += 5
    assert story.progress.snapshot().remaining is None
    assert story.progress.snapshot().share is None
    story.progress.set_total(WorkTotal(count=100, sizes={b"jpg": 100_000}))
    now = story.progress.snapshot()
    assert now.share == 0.1
    assert now.remaining == pytest.approx(90 / 2)


@pytest.mark.parametrize("done_after", [[0, 1, 1, 3, 4, 6], [2, 4, 4, 5, 5, 6]])  # each second
def test_the_time_left_is_withheld_until_the_workers_have_shown_their_pace(done_after):
    story = Story()
    tasks = story.find(40)
    story.progress.on_event(SourceExhausted(at=0, found=40))
    story.clock.now += 60  # a cluster starts
    assert story.progress.snapshot().remaining is None
    story.start(tasks[0])
    for second, done in enumerate(done_after, 1):
        story.clock.now += 1
        for task in tasks[story.progress.snapshot().done : done]:
            story.finish(Done(task=task, measures=MADE))
        now = story.progress.snapshot()
        assert (now.remaining is not None) == (second >= 3 and done >= 2 * 2), second
    assert now.remaining == pytest.approx(34)  # an image a second, whatever the start took


def test_what_was_found_corrects_what_was_counted_ahead():
    story = Story()
    story.progress.set_total(WorkTotal(count=3))
    story.find(5)
    assert story.progress.snapshot().total == 5
    story.progress.on_event(SourceExhausted(at=0, found=6))
    story.progress.set_total(WorkTotal(count=99))
    assert story.progress.snapshot().total == 6


def test_the_time_left_is_weighed_in_pixels_and_not_in_images():
    story = Story()
    small = story.find(90, size=100)
    large = story.find(10, size=10_000, suffix=b".large.jpg")
    story.progress.on_event(SourceExhausted(at=0, found=100))
    story.start(small[0])
    for task in small:
        story.finish(Done(task=task, measures={"pixels_in": 400, "bytes_in": 100}))
    story.clock.now += 9
    now = story.progress.snapshot()
    assert now.share == 0.9
    assert now.remaining == pytest.approx(10 * 40_000 / (90 * 400 / 9))  # and not the second that ten of a hundred images take
    for task in large:
        story.finish(Done(task=task, measures={"pixels_in": 40_000, "bytes_in": 10_000}))
    assert story.progress.snapshot().remaining == 0


def test_outputs_are_counted_apart_from_images():
    story = Story()
    for task in story.find(4):
        story.finish(Done(task=task, measures={**MADE, "outputs": 3}))
    now = story.progress.snapshot()
    assert (now.done, now.outputs) == (4, 12)
    assert lines_of(now)[-1].endswith(" | Errors: 0 | 12 outputs")
    stream = io.StringIO()
    Terminal(file=stream, width=100, color_system=None).print(render(now, 100))
    assert "12 outputs" in stream.getvalue()


def test_skipped_and_remembered_images_are_finished_but_no_work():
    story = Story()
    made, broken, known, unchanged = story.find(4)
    story.finish(Done(task=made, measures=MADE))
    story.finish(Failed(task=broken, failure=FAULT))
    story.finish(Failed(task=known, failure=FAULT, remembered=True))
    story.finish(Skipped(task=unchanged))
    story.clock.now += 2
    now = story.progress.snapshot()
    assert (now.finished, now.worked, now.images_rate) == (4, 2, 1.0)
    assert (now.done, now.failed, now.skipped, now.saved) == (1, 2, 1, 2_000_000)


def test_in_flight_is_what_workers_are_busy_with_and_not_what_waits_in_their_pipes():
    story = Story()
    tasks = story.find(5)
    for task in tasks:
        story.progress.on_event(AttemptStarted(at=0, attempt=Attempt(task)))
    assert story.progress.in_flight == 2
    for task in tasks[:3]:
        story.finish(Done(task=task))
    story.progress.on_event(TaskRetried(at=0, attempt=Attempt(tasks[3]), failure=FAULT, delay=1.0))
    assert story.progress.in_flight == 1


def lines_of(*moments: ProgressSnapshot) -> list[str]:
    stream = io.StringIO()
    lines = PlainProgress(Channel(stream))
    for moment in moments:
        lines.show(moment)
    lines.finish(moments[-1])
    return stream.getvalue().splitlines()


def test_the_line_is_the_one_that_users_know():
    now = ProgressSnapshot(done=4197, failed=3, found=5224, total=10_000, images_rate=61.31, saved=812_400_000, elapsed=70.0)
    first, last = lines_of(now)
    assert first == "[IN PROGRESS] 4200/10000 (42.0%) | 61.3 img/s | 812.4 MB saved | Errors: 3"
    assert last == "[STOPPED] 4200/10000 (42.0%) | 60.0 img/s | 812.4 MB saved | Errors: 3"


def test_a_line_comes_every_tenth_part():
    moments = [ProgressSnapshot(done=done, found=100, total=100, elapsed=done / 100) for done in range(101)]
    printed = lines_of(*moments)
    assert [line.split()[2] for line in printed[:-1]] == [f"{part}/100" for part in range(10, 100, 10)]
    assert printed[-1].startswith("[DONE] 100/100 (100.0%)")


def test_a_line_comes_every_ten_seconds_when_work_is_slow_or_endless():
    slow = [ProgressSnapshot(done=1, found=100, total=100, elapsed=float(second)) for second in range(35)]
    assert len(lines_of(*slow)) == 3 + 1
    endless = [ProgressSnapshot(done=second, found=second + 5, elapsed=float(second)) for second in range(25)]
    assert [line.split("]")[1].split("|")[0].strip() for line in lines_of(*endless)] == [
        "10 of 15 found so far",
        "20 of 25 found so far",
        "24 of 29 found so far",
    ]


def test_nothing_to_do_is_done():
    assert lines_of(ProgressSnapshot(total=0)) == ["[DONE] 0/0 (100.0%) | 0.0 img/s | 0.0 MB saved | Errors: 0"]


def test_what_costs_more_than_it_saves_is_negative_and_nothing_is_not():
    assert "| -2.0 MB saved |" in lines_of(ProgressSnapshot(total=0, saved=-2_000_000))[0]
    assert "| 0.0 MB saved |" in lines_of(ProgressSnapshot(total=0, saved=-2_000))[0]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
@pytest.mark.parametrize("total", [None, 1_234_567])
def test_the_bar_never_wraps(width, total):
    now = ProgressSnapshot(
        done=4_200,
        failed=13,
        skipped=900,
        found=9_000,
        total=total,
        images_rate=61.3,
        pixels_rate=5e8,
        saved=10**9,
        elapsed=9,
        remaining=4000,
    )
    stream = io.StringIO()
    Terminal(file=stream, width=width, color_system=None).print(render(now, width))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)
    assert "13 failed" in lines[1]
    if width >= 40:
        assert ("5,113/1,234,567" in lines[0]) if total else ("5,113 of 9,000 found so far" in lines[0])


def test_the_bar_says_what_is_left_or_why_it_cannot():
    stream = io.StringIO()
    terminal = Terminal(file=stream, width=100, color_system=None)
    terminal.print(render(ProgressSnapshot(done=5, found=10, total=10, remaining=94.0), 100))
    terminal.print(render(ProgressSnapshot(done=5, found=10), 100))
    assert "1:34 left" in stream.getvalue()
    assert "still scanning" in stream.getvalue()
