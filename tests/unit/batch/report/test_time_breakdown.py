import pytest

from pixmill.batch.report.time_breakdown import advice, time_breakdown
from pixmill.engine.observability.histogram import HistogramSnapshot


def spent(*, workers=2, seconds=50.0, **stages):
    return time_breakdown(
        {name: HistogramSnapshot(count=1, total=total) for name, total in stages.items()}, workers=workers, seconds=seconds
    )


def test_the_time_of_all_workers_is_divided_into_computing_storage_and_waiting():
    result = spent(decode=40.0, encode=20.0, read=5.0, write=5.0)
    assert (result.computing, result.input_output, result.waiting) == pytest.approx((0.6, 0.1, 0.3))


def test_the_largest_stage_comes_first_and_the_shares_are_of_what_was_used():
    assert list(spent(read=10.0, decode=30.0).shares.items()) == [("decode", 0.75), ("read", 0.25)]


def test_time_in_the_queue_is_not_time_of_a_worker():
    assert spent(decode=50.0, queue=500.0, download=500.0).shares == {"decode": 1.0}


def test_a_run_that_did_nothing_has_no_shares_and_gets_no_advice():
    nothing = time_breakdown({}, workers=0, seconds=0.0)
    assert (nothing.shares, nothing.computing, advice(nothing)) == ({}, 0.0, "")


@pytest.mark.parametrize(
    ("stages", "word"),
    [
        ({"read": 80.0, "decode": 10.0}, "Reading dominates"),
        ({"write": 30.0, "fsync": 40.0, "decode": 20.0}, "--durability none"),
        ({"encode": 80.0, "decode": 10.0}, "--effort fast"),
        ({"decode": 80.0, "encode": 10.0}, "only more cores"),
        ({"transform": 80.0, "encode": 10.0}, "The steps of the recipe"),
        ({"decode": 10.0}, "idle 90% of the time: the source"),
        ({"decode": 10.0, "download": 500.0}, "idle 90% of the time: they waited for the web servers"),
    ],
)
def test_when_one_thing_dominates_the_advice_is_about_it(stages, word):
    assert word in advice(spent(**stages))


def test_no_advice_when_nothing_dominates_or_the_run_was_short():
    assert advice(spent(decode=40.0, encode=40.0, read=10.0)) == ""
    assert advice(spent(seconds=2.0, read=4.0)) == ""
