"""Inputs that a worker reads ahead: what waits for one, and what does not."""

from contextlib import closing

from pixmill.core.units import TimeLimit
from pixmill.engine.executor import Completed, Lost, Returned
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.testing.executors import attempts, run_all
from support.processes import wait_until
from support.reading_handler import REF


def test_a_slow_input_keeps_no_other_task_waiting():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        reports = run_all(pool, attempts("sleep 2,", *[f"echo x{number}," for number in range(40)]))
    assert [report.result for report in reports[-1:]] == [b"2"]
    assert {report.result for report in reports[:-1]} == {b"X%d" % number for number in range(40)}


def test_inputs_are_read_at_the_same_time_and_their_time_counts_for_their_tasks():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        run_all(pool, attempts("echo x,"))
        began = pool._supervisor._workers[1].last_activity
        reports = run_all(pool, attempts(*["sleep 1,"] * 4))
        took = pool._supervisor._workers[1].last_activity - began
    assert sum(report.timings["read"] for report in reports) > 1.5 * took
    assert all(report.seconds < report.timings["read"] for report in reports)


def test_an_input_that_cannot_be_read_fails_its_task():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        reports = run_all(pool, attempts("refuse 7,", "echo x,"))
    failures = [report.failure for report in reports if report.failure]
    assert [(each.code, each.stage, each.retryable, each.retry_after) for each in failures] == [("read", "read", True, 7.0)]


def test_a_crash_is_not_blamed_on_a_task_whose_input_is_being_read():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        reports = run_all(pool, attempts("sleep 1,", "echo x,crash", "sleep 1.1,"))
    lost = [report.attempt.task.payload for report in reports if isinstance(report, Lost)]
    assert lost == [b"echo x,crash"]
    assert {report.result for report in reports if isinstance(report, Completed)} == {b"1", b"1.1"}


def test_a_worker_that_only_waits_for_an_input_is_alive():
    with closing(Pool(REF, Policy(timeout=TimeLimit(1.5)), workers=1)) as pool:
        run_all(pool, attempts("echo x,"))
        (report,) = run_all(pool, attempts("sleep 4,"))
    assert isinstance(report, Completed)
    assert report.result == b"4"


def test_what_has_not_begun_to_be_read_can_be_taken_back():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        run_all(pool, attempts("echo x,"))
        pool.submit(attempts(*["sleep 1.5,"] * pool.capacity()))
        reports = []
        wait_until(lambda: pool._supervisor._workers[1].status_slot.last_started >= 5)
        pool.cancel_pending()
        wait_until(lambda: reports.extend(pool.wait(0.05)) or sum(isinstance(each, Completed) for each in reports) == 4)
    returned = [attempt for each in reports if isinstance(each, Returned) for attempt in each.attempts]
    assert returned
    assert len(returned) + 4 == len({id(attempt) for attempt in returned}) + 4
