"""The queue depth adapts to how long tasks take."""

import pytest

from pixmill.engine.pool.prefetch import Prefetch


def after(seconds, count=100):
    prefetch = Prefetch()
    for _ in range(count):
        prefetch.record(seconds)
    return prefetch.depth


def test_it_starts_with_one_task_and_at_most_doubles():
    assert [after(0.0, count) for count in range(5)] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("seconds", "depth"), [(0.0, 512), (1e-6, 512), (0.001, 102), (0.01, 12), (0.2, 2), (60.0, 2)])
def test_it_queues_about_a_tenth_of_a_second_and_one_behind_a_long_task(seconds, depth):
    assert after(seconds) == depth


def test_one_long_task_reduces_the_depth_at_once():
    prefetch = Prefetch()
    for _ in range(100):
        prefetch.record(0.00001)
    prefetch.record(1.0)
    assert prefetch.depth == 2


def test_it_refills_in_batches():
    prefetch = Prefetch()
    for _ in range(3):
        prefetch.record(0.0)
    assert [prefetch.free(in_flight) for in_flight in (8, 5, 4, 0)] == [0, 0, 4, 8]


def test_queued_seconds_are_the_work_behind_the_task_that_has_begun():
    prefetch = Prefetch()
    prefetch.record(0.5)
    assert [prefetch.queued_seconds(in_flight) for in_flight in (0, 1, 3)] == [0.0, 0.0, 1.0]
