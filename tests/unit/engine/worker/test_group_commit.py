"""Results that become durable while the next task computes: what overlaps, and which task is blamed."""

import time
from contextlib import closing

import pytest

from pixmill.core.units import Duration
from pixmill.engine.executor import Completed, Lost, Returned
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.testing.executors import answers, attempts, losses, run_all
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until


@pytest.fixture
def pool():
    """Return one worker that knows its tasks to be short, so that the next ones wait in its pipe."""
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        run_all(pool, attempts(*["echo x"] * 100))
        yield pool


def test_the_next_task_computes_while_one_is_committed(pool, tmp_path):
    reports = run_all(pool, attempts(f"later await {tmp_path}/sign", f"touch {tmp_path}/sign"))
    assert [report.failure for report in reports] == [None, None]


def test_results_of_a_group_alternate_their_steps(pool, tmp_path):
    reports = run_all(pool, attempts(f"later touch {tmp_path}/one / await {tmp_path}/other", f"later touch {tmp_path}/other"))
    assert [report.failure for report in reports] == [None, None]


def test_a_result_that_cannot_be_committed_does_not_affect_the_others(pool, tmp_path):
    todo = attempts(
        f"later touch {tmp_path}/one / raise eio", f"later await {tmp_path}/one / touch {tmp_path}/other / await {tmp_path}/other"
    )
    failed, committed = sorted(run_all(pool, todo), key=lambda report: report.failure is None)
    assert (failed.attempt, failed.failure.stage, failed.result) == (todo[0], "raise", b"")
    assert (committed.attempt, committed.failure) == (todo[1], None)


def test_the_steps_of_other_tasks_do_not_count_as_a_tasks_own_time():
    todo = attempts(*["later sleep 0.3 / sleep 0.3"] * 5)
    with closing(Pool(REF, Policy(timeout=Duration(2)), workers=1)) as pool:
        run_all(pool, attempts(*["echo x"] * 100))
        reports = run_all(pool, todo)
    assert [report.failure for report in reports] == [None] * 5
    assert all(0.6 <= report.seconds < 1.5 for report in reports)
    assert all(0.6 <= report.timings["sleep"] < 1.5 for report in reports)


def test_a_task_that_only_waits_for_a_disk_does_not_use_capacity(tmp_path):
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        run_all(pool, attempts(*["sleep 0.15"] * 3))  # long tasks: one is queued behind the one that computes
        pool.submit(attempts(f"later await {tmp_path}/sign"))
        pool.submit(attempts(f"log {tmp_path}/log await {tmp_path}/sign"))
        wait_until((tmp_path / "log").exists)
        assert pool.capacity() == 1
        (tmp_path / "sign").touch()


def test_computing_pauses_while_a_result_has_waited_long_to_be_committed(pool, tmp_path):
    sign, late = tmp_path / "sign", tmp_path / "late"
    todo = attempts(f"later await {sign}", "sleep 0.1", "later echo x", "sleep 0.4", "later echo y", f"touch {late}")
    pool.submit(todo)
    reports = []
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        reports.extend(pool.wait(0.05))
    assert not late.exists()
    sign.touch()
    wait_until(lambda: reports.extend(pool.wait(0.05)) or len(reports) == len(todo))
    assert late.exists()


def test_a_result_that_takes_much_memory_is_committed_before_the_next_task_begins(pool):
    first, second = run_all(pool, attempts("later-large sleep 0.3", "echo x"))
    assert (first.attempt.task.payload, second.attempt.task.payload) == (b"later-large sleep 0.3", b"echo x")


def test_a_result_does_not_wait_for_a_task_that_does_not_come(pool):
    assert len(run_all(pool, attempts("later echo x"))) == 1


def test_a_crash_is_blamed_on_the_task_that_computes_and_not_on_one_that_is_committed(pool, tmp_path):
    pool.submit(attempts(f"later log {tmp_path}/log await {tmp_path}/sign", f"await {tmp_path}/log", "segfault"))
    reports = []
    wait_until(lambda: reports.extend(pool.wait(0.05)) or losses(reports))
    (tmp_path / "sign").touch()
    wait_until(lambda: reports.extend(pool.wait(0.05)) or len(reports) == 3)
    (lost,) = losses(reports)
    assert lost.attempt.task.payload == b"segfault"
    assert [answer.failure for answer in answers(reports).values()] == [None, None]
    assert (tmp_path / "log").read_text() == "ran\n" * 2


@pytest.mark.parametrize("behind", [0, 1, 10])
def test_a_disk_that_hangs_is_blamed_on_the_task_that_it_holds_up(behind, tmp_path):
    others = [f"await {tmp_path}/begun", *(f"later log {tmp_path}/{number}" for number in range(behind))]
    todo = attempts(f"later log {tmp_path}/begun sleep 90", *others)
    with closing(Pool(REF, Policy(timeout=Duration(1)), workers=1)) as pool:
        run_all(pool, attempts(*["echo x"] * 100))
        reports = run_all(pool, todo)
    (lost,) = [report for report in reports if isinstance(report, Lost)]
    assert lost.attempt == todo[0]
    assert (lost.failure.code, lost.failure.stage) == ("timeout", "sleep")
    assert all(isinstance(report, Lost) or report.failure is None for report in reports)
    assert len(reports) == len(todo)


def test_a_result_that_is_being_committed_is_not_returned(pool, tmp_path):
    todo = attempts(*(f"later log {tmp_path}/{number} await {tmp_path}/sign" for number in range(100)))
    pool.submit(todo)
    wait_until((tmp_path / "0").exists)
    pool.cancel_pending()
    (tmp_path / "sign").touch()
    reports = []
    wait_until(lambda: reports.extend(pool.wait(0.05)) or sum(map(_returned_count, reports)) == len(todo))
    committed = {report.attempt.task.key for report in reports if isinstance(report, Completed)}
    back = {attempt.task.key for report in reports if isinstance(report, Returned) for attempt in report.attempts}
    assert not committed & back
    assert committed == {path.name.encode() for path in tmp_path.iterdir()} - {b"sign"}
    assert committed | back == {attempt.task.key for attempt in todo}
    assert back


def _returned_count(report):
    return len(report.attempts) if isinstance(report, Returned) else 1
