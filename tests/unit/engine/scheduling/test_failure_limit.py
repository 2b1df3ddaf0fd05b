"""When a run stops because of its failures: by number, by percentage, and when the first hundred all fail in one way."""

import pytest

from pixmill.core.units import ALL, CountOrPercent
from pixmill.engine.scheduling.failure_limit import FailureLimit
from pixmill.engine.task import Done, Failed, Failure, Skipped, Task


def failed(code="decode", **fields):
    return Failed(task=Task.of("a"), failure=Failure(code=code, stage="decode", message="it is damaged", hint="mend it"), **fields)


DONE, UNCHANGED, LEFT = Done(task=Task.of("a")), Skipped(task=Task.of("a")), Skipped(task=Task.of("a"), reason="exists")


def stopped_after(limit, outcomes, found=None):
    """Return after how many of ``outcomes`` the run stops, and the error; ``None`` if it does not."""
    counter = FailureLimit(limit and CountOrPercent.from_builtin(limit))
    for number, outcome in enumerate(outcomes, 1):
        if outcome is UNCHANGED:
            counter.add_unchanged(1)
        else:
            counter.add(outcome)
        if error := counter.error(found):
            return number, error
    return None


@pytest.mark.parametrize(
    ("limit", "outcomes", "found", "number"),
    [
        ("2", [failed()] * 9, None, 3),
        ("0", [DONE, failed()], None, 2),
        ("2", [failed()] * 2 + [DONE] * 500, None, None),
        ("5%", [failed()] * 9, None, 6),  # of the first hundred
        ("5%", [DONE] * 200 + [failed()] * 20, None, 211),  # 11 of 211
        ("5%", [DONE, failed(), DONE, failed()], 20, 4),  # 2 of 20
        ("5%", [DONE, failed()], 20, None),
        ("5%", [failed(), *[UNCHANGED] * 980, failed()], 1000, 982),  # 2 of the 20 that were to do
        ("100%", [failed()] * 500, 500, None),
        ("5%", [failed(remembered=True)] * 50 + [DONE] * 50, 100, None),
    ],
)
def test_a_limit_stops_at_one_failure_more(limit, outcomes, found, number):
    stop = stopped_after(limit, outcomes, found)
    assert (stop and stop[0]) == number
    assert stop is None or stop[1].code == "too-many-failures"


def test_the_first_hundred_stop_a_run_when_all_fail_in_one_way():
    number, error = stopped_after(None, [failed()] * 200)
    assert (number, error.code) == (100, "same-failure")
    assert error.message == "the first 100 images all failed with the code decode: it is damaged"
    assert error.hint.startswith("mend it; once the cause is removed, pixmill retry DST ")


@pytest.mark.parametrize(
    "outcomes",
    [
        [failed()] * 99,
        [DONE, *[failed()] * 500],
        [*[failed()] * 99, DONE, *[failed()] * 500],
        [failed("timeout"), *[failed()] * 500],
        [LEFT, *[failed()] * 500],
        [failed(remembered=True)] * 500,
        [*[failed(remembered=True)] * 50, *[failed()] * 99],
        [*[UNCHANGED] * 50, *[failed()] * 99],
    ],
)
def test_other_beginnings_do_not_stop_it(outcomes):
    assert stopped_after(None, outcomes, len(outcomes)) is None


def test_what_was_not_tried_does_not_hide_the_first_hundred():
    assert stopped_after(None, [UNCHANGED, failed(remembered=True), *[failed()] * 100])[0] == 102


def test_the_message_names_the_most_frequent_code():
    _, error = stopped_after("3", [failed("timeout"), failed(), failed(), DONE, failed("read")])
    assert error.message == (
        "4 of 5 images failed, more than --max-failures 3 allows; 2 of them with the code decode: it is damaged"
    )


def test_all_is_a_percentage_that_nothing_exceeds():
    assert ALL.of(10**9) == 10**9
