"""Estimates for a whole source from a sample: they hit the truth as often as they say, and admit what they cannot know."""

import random

import pytest

from pixmill.batch.item import Item, to_task
from pixmill.batch.report.extrapolation import Extrapolation
from pixmill.engine.events import TaskFinished
from pixmill.engine.task import Done, Failed, Failure
from pixmill.storage.entry import Entry


def finished(size, written=0, seconds=0.0, *, failed=False):
    task = to_task(Item(Entry(b"a.jpg", size, b"")), b"")
    if failed:
        failure = Failure(code="decode", stage="decode", message="")
        return TaskFinished(at=0.0, outcome=Failed(task=task, failure=failure, seconds=seconds))
    return TaskFinished(at=0.0, outcome=Done(task=task, seconds=seconds, measures={"bytes_out": written}))


def estimated(events, found, source_bytes, *, workers=1, max_rate=None):
    extrapolation = Extrapolation(found, source_bytes)
    for event in events:
        extrapolation.on_event(event)
    return extrapolation.report("", "", workers=workers, max_rate=max_rate)


def test_bytes_and_time_are_proportional_to_the_source():
    report = estimated([finished(100, 10, 1.0), finished(300, 30, 3.0)], found=100, source_bytes=40_000, workers=4)
    assert report.output_bytes.value == 4000
    assert report.output_bytes.low == report.output_bytes.high == pytest.approx(4000)
    assert report.seconds.value == 100


def test_without_sizes_they_are_the_means_of_the_images():
    report = estimated([finished(0, 10, 1.0), finished(0, 30, 3.0)], found=100, source_bytes=None)
    assert (report.output_bytes.value, report.seconds.value) == (2000, 200)
    assert report.output_bytes.low < 2000 < report.output_bytes.high


def test_a_rate_limits_the_time_from_below():
    report = estimated([finished(100, 10, 1.0)] * 2, found=100, source_bytes=10_000, workers=100, max_rate=2.0)
    assert (report.seconds.low, report.seconds.value, report.seconds.high) == (50, 50, 50)


def test_the_ranges_hold_about_as_often_as_they_say():
    rng = random.Random(4)
    population = [(size, size * rng.lognormvariate(-2, 0.5)) for size in (int(rng.lognormvariate(14, 1)) for _ in range(1000))]
    total, truth = sum(size for size, _ in population), sum(written for _, written in population)
    hits = 0
    for _ in range(300):
        sample = [finished(size, written) for size, written in rng.sample(population, 20)]
        estimate = estimated(sample, 1000, total).output_bytes
        hits += estimate.low <= truth <= estimate.high
    assert 262 < hits < 300  # of 300; 285 are nominal, and a skewed population has fewer


@pytest.mark.parametrize(("failed", "low", "high"), [(0, 0, 1600), (1, 88, 2370), (10, 2990, 7010), (20, 8380, 10_000)])
def test_the_share_of_failures_has_a_wilson_interval(failed, low, high):
    events = [finished(1, failed=index < failed) for index in range(20)]
    estimate = estimated(events, 10_000, None).failed
    assert estimate.value == failed * 500
    assert (estimate.low, estimate.high) == (pytest.approx(low, rel=0.02), pytest.approx(high, rel=0.02))


def test_all_images_leave_nothing_to_estimate():
    report = estimated([finished(100, 10, 1.0), finished(300, 31, 3.0, failed=True)], found=2, source_bytes=400)
    assert (report.output_bytes.low, report.output_bytes.value, report.output_bytes.high) == (10, 10, 10)
    assert (report.failed.low, report.failed.value, report.failed.high) == (1, 1, 1)


def test_one_image_shows_no_spread_and_none_shows_nothing():
    one = estimated([finished(100, 10, 1.0)], found=50, source_bytes=5000)
    assert (one.output_bytes.value, one.output_bytes.low, one.output_bytes.high) == (500, None, None)
    none = estimated([], found=50, source_bytes=5000)
    assert (none.output_bytes, none.seconds, none.failed) == (None, None, None)
