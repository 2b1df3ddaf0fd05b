"""A token bucket holds a stream to its rate, on any clock."""

import pytest

from pixmill.engine.scheduling.token_bucket import TokenBucket
from pixmill.testing.clocks import ManualClock


def drain(rate, seconds, step=0.01):
    clock = ManualClock()
    bucket = TokenBucket(rate, clock)
    taken = 0
    while clock.elapsed() < seconds:
        taken += bucket.take(1000)
        clock.sleep(step)
    return taken


@pytest.mark.parametrize("rate", [0.5, 3.0, 50.0, 5000.0])
def test_over_time_it_gives_exactly_its_rate(rate):
    assert drain(rate, 20) == pytest.approx(rate * 20, abs=max(1.5, rate * 0.02))


def test_a_pause_is_not_made_up_for():
    clock = ManualClock()
    bucket = TokenBucket(50.0, clock)
    clock.sleep(1000)
    assert bucket.take(1000) == 5


def test_it_says_when_the_next_token_comes():
    clock = ManualClock()
    bucket = TokenBucket(4.0, clock)
    assert bucket.take(1) == 1
    assert bucket.pause() == pytest.approx(0.25)
    clock.sleep(bucket.pause())
    assert bucket.take(5) == 1
