import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixmill.engine.observability.histogram import BOUNDS, Histogram, HistogramSnapshot

SECONDS = st.floats(min_value=0, max_value=1e6)


def timing(durations):
    histogram = Histogram()
    for seconds in durations:
        histogram.add(seconds)
    return histogram.snapshot()


def test_an_empty_histogram_is_all_zero():
    assert timing([]) == HistogramSnapshot()
    assert timing([]).mean == timing([]).quantile(0.5) == 0


def test_a_duration_at_a_bound_belongs_below_it():
    assert timing([BOUNDS[3]]).buckets[3] == 1
    assert timing([BOUNDS[3] * 1.001]).buckets[4] == 1
    assert timing([0]).buckets[0] == 1
    assert timing([1e9]).buckets[-1] == 1


@given(st.lists(SECONDS, min_size=1))
def test_everything_is_counted_in_constant_memory(durations):
    snapshot = timing(durations)
    assert sum(snapshot.buckets) == snapshot.count == len(durations)
    assert len(snapshot.buckets) == len(BOUNDS) + 1
    assert snapshot.longest == max(durations)
    assert snapshot.total == pytest.approx(sum(durations))


@given(st.lists(st.floats(min_value=0.0005, max_value=65), min_size=1), st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_a_quantile_is_never_below_the_true_one_and_at_most_double(durations, share):
    true = sorted(durations)[max(0, -int(-share * len(durations) // 1) - 1)]
    assert true <= timing(durations).quantile(share) <= max(2 * true, BOUNDS[0])
