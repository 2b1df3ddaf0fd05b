"""What the pool does beyond the contract of an executor."""

import os
from contextlib import closing

import pytest
from msgspec import structs

from pixmill.core.units import ByteSize, Duration, TimeLimit
from pixmill.engine.executor import Completed, Lost
from pixmill.engine.policy import Policy
from pixmill.engine.pool.pool import Pool
from pixmill.testing.executors import answers, attempts, run_all
from pixmill.testing.faulty_handlers import REF
from support.processes import wait_until


@pytest.fixture
def pool():
    with closing(Pool(REF, Policy(), workers=2)) as pool:
        yield pool


def test_a_worker_is_replaced_after_so_many_tasks_and_no_task_is_blamed():
    with closing(Pool(REF, Policy(recycle_tasks=10), workers=1)) as pool:
        reports = [report for _ in range(8) for report in run_all(pool, attempts("pid", "pid", "sleep 0.06"))]
    assert not [report for report in reports if isinstance(report, Lost)]
    assert len({report.result for report in reports if isinstance(report, Completed) and report.result}) in (2, 3)


def test_a_worker_that_grows_is_replaced():
    grow = [f"grow {50_000_000}", "sleep 0.3", "sleep 0.1", "sleep 0.1"]
    with closing(Pool(REF, Policy(recycle_growth=ByteSize(20_000_000)), workers=1)) as pool:
        reports = run_all(pool, attempts("pid", *grow, "echo x", "pid"))
    pids = [report.result for report in reports if isinstance(report, Completed) and report.attempt.task.payload == b"pid"]
    assert len(set(pids)) == 2


def test_small_tasks_do_not_wait_behind_a_long_one(pool):
    run_all(pool, attempts(*["echo x"] * 2000))  # the queue is deep now
    reports = run_all(pool, attempts("sleep 3", *["echo y"] * 300))
    assert len(reports) == 301
    assert isinstance(reports[-1], Completed)
    assert reports[-1].attempt.task.payload == b"sleep 3"


def test_a_task_moved_to_another_worker_runs_once(pool, tmp_path):
    log = tmp_path / "log"
    run_all(pool, attempts(*["echo x"] * 2000))
    run_all(pool, attempts("sleep 0.5", *[f"log {log}"] * 300))
    run_all(pool, attempts(*["echo x"] * 10))  # the worker that slept has skipped the tasks taken from it
    assert len(log.read_text().splitlines()) == 300


def test_the_output_of_one_task_is_no_evidence_against_the_next():
    with closing(Pool(REF, Policy(), workers=1)) as pool:
        run_all(pool, attempts("say innocent words"))
        (lost,) = [report for report in run_all(pool, attempts("segfault")) if isinstance(report, Lost)]
    assert "Segmentation fault" in lost.failure.trace
    assert "innocent" not in lost.failure.trace


def test_an_idle_worker_that_dies_is_replaced_and_no_task_is_blamed(born, pool):
    run_all(pool, attempts("echo x", "echo y"))
    victims = born(2)
    for pid in victims:
        os.kill(pid, 9)
    reports = []
    wait_until(lambda: reports.extend(pool.wait(0.05)) or len(reports) == 2)
    assert {report.pid for report in reports} == set(victims)
    assert {report.attempt for report in reports} == {None}
    assert len(answers(run_all(pool, attempts("echo x", "echo y")))) == 2


def test_a_worker_that_was_stopped_while_idle_is_noticed(born):
    with closing(Pool(REF, Policy(timeout=Duration(0.5)), workers=1)) as pool:
        run_all(pool, attempts("pid"))
        (victim,) = born(2)
        os.kill(victim, 19)
        reports = run_all(pool, attempts("echo x"))
    (lost,) = [report for report in reports if isinstance(report, Lost)]
    assert (lost.pid, lost.attempt, lost.failure.code) == (victim, None, "stalled")
    assert list(answers(reports)) == [b"echo x"]


def test_when_a_worker_dies_with_several_tasks_each_is_tried_alone_and_only_the_cause_is_blamed():
    ref = structs.replace(REF, batch_size=4)
    with closing(Pool(ref, Policy(timeout=TimeLimit(20)), workers=1)) as pool:
        reports = run_all(pool, attempts("echo a", "segfault", "echo b", "echo c", "echo d", "raise value", "echo e"))
    (lost,) = [report for report in reports if isinstance(report, Lost) and report.attempt]
    assert lost.attempt.task.payload == b"segfault"
    assert lost.attempt.isolated
    assert {payload for payload, report in answers(reports).items() if report.failure is None} == {b"echo %c" % c for c in b"abcde"}


def test_tasks_that_are_handled_together_have_their_deadlines_together():
    ref = structs.replace(REF, batch_size=4)
    with closing(Pool(ref, Policy(timeout=TimeLimit(1)), workers=1)) as pool:
        reports = run_all(pool, attempts("sleep 0.6", "sleep 0.6", "sleep 0.6", "sleep 60"))
    (lost,) = [report for report in reports if isinstance(report, Lost) and report.attempt]
    assert (lost.attempt.task.payload, lost.failure.code) == (b"sleep 60", "timeout")
    assert len(answers(reports)) == 1  # of three equal payloads
