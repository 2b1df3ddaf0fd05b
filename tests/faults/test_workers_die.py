"""Whatever an image does to its worker, under the real command, it costs that image alone (P1 to P6, P8)."""

import json
import os
import random
import resource
import signal
import subprocess
from contextlib import suppress

import pytest

from support.fault_run import COMMAND, SOME_FAILED, STOPPED
from support.invariants import failed
from support.processes import children, grandchildren, wait_until

FATES = {
    201: ("crash", signal.SIGSEGV), 202: ("crash", signal.SIGABRT), 203: ("crash", signal.SIGBUS), 204: ("crash", signal.SIGILL),
    205: ("crash", signal.SIGFPE), 206: ("out-of-memory", signal.SIGKILL), 207: ("crash", 0), 213: ("crash", signal.SIGTRAP),
}  # fmt: skip


def poisoned(count, start=0):
    return [f"{number % 3}/poison {number:03}.jpg" for number in range(start, start + count)]


def strike(pids, number):
    """Send a signal to the first of these processes; return whether it was there to get it."""
    with suppress(IndexError, ProcessLookupError):
        os.kill(pids[0], number)
        return True
    return False


@pytest.mark.row("P1")
def test_workers_shot_at_random_cost_a_retry_and_no_image(trial, gallery):
    attempt = trial(gallery(60, side=600), "--attempts", "5")
    process = attempt.start()
    chance = random.Random(3)
    wait_until(lambda: grandchildren(process.pid) or process.poll() is not None)
    for _ in range(6):
        with suppress(IndexError, ProcessLookupError):
            os.kill(chance.choice(grandchildren(process.pid)), signal.SIGKILL)
            attempt.faults += 1
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    ended = attempt.end(process)
    assert ended.code in (0, SOME_FAILED)  # who is shot twice, the second time alone, has failed by what anybody could see
    assert len(failed(attempt.destination)) <= attempt.faults // 2
    attempt.retry()
    attempt.complete()


@pytest.mark.row("P2", "P3")
def test_every_way_to_die_is_named_and_no_neighbour_is_blamed(trial, gallery, poison_step, tmp_path):
    doomed = poisoned(len(FATES))
    attempt = trial(gallery(30, heights=tuple(FATES)), *poison_step, doomed=doomed)
    attempt.faults = 2 * len(FATES)
    attempt.complete("--workers", "3")
    told = failed(attempt.destination)
    assert {name: (told[name].failure.code, told[name].failure.signal) for name in doomed} == dict(
        zip(doomed, FATES.values(), strict=True)
    )
    assert {record.attempts for record in told.values()} == {2}
    assert list(tmp_path.rglob("core*")) == []


@pytest.mark.row("P2")
def test_the_failures_can_be_read_by_a_machine(trial, gallery, poison_step):
    attempt = trial(gallery(30, heights=tuple(FATES)), *poison_step, doomed=poisoned(len(FATES)))
    attempt.complete()
    lines = subprocess.run([*COMMAND, "failures", attempt.destination, "--json"], capture_output=True, text=True, check=True).stdout
    told = [json.loads(line) for line in lines.splitlines()]
    assert {each["path"] for each in told} == attempt.doomed
    assert all(each["failure"]["code"] and each["failure"]["stage"] == "transform" and each["attempts"] == 2 for each in told)


@pytest.mark.row("P4")
def test_workers_that_cannot_start_end_the_run_soon_and_nothing_has_failed(trial, gallery, tmp_path):
    (tmp_path / "simplejpeg.py").write_text("import os, sys\nif 'PIXMILL_WORKER' in os.environ: sys.exit('no such library')\n")
    attempt = trial(gallery(30))
    ended = attempt.run(env={"PYTHONPATH": str(tmp_path)})
    attempt.faults += 1
    assert ended.code == STOPPED
    assert "no such library" in ended.err or "SystemExit" in ended.err
    assert failed(attempt.destination) == {}
    attempt.complete()


@pytest.mark.row("P5")
def test_an_image_that_hangs_in_c_is_killed_at_its_deadline(trial, gallery, poison_step):
    attempt = trial(gallery(30, heights=(208, 209)), *poison_step, doomed=poisoned(2))
    attempt.faults = 4
    attempt.complete("--timeout", "3s")
    told = failed(attempt.destination).values()
    assert {record.failure.code for record in told} == {"timeout"}
    assert {record.failure.stage for record in told} == {"transform"}


@pytest.mark.row("P6")
def test_a_worker_that_is_stopped_between_images_does_not_keep_the_run_from_ending(trial, gallery):
    attempt = trial(gallery(60, side=600), "--timeout", "5s")
    process = attempt.start()
    wait_until(lambda: strike(grandchildren(process.pid), signal.SIGSTOP) or process.poll() is not None)
    attempt.faults += 1
    assert attempt.end(process).code == 0
    attempt.complete()


@pytest.mark.row("P6")
def test_a_nursery_that_is_killed_is_replaced(trial, gallery):
    attempt = trial(gallery(60, side=600))
    process = attempt.start()
    wait_until(lambda: (grandchildren(process.pid) and strike(children(process.pid), signal.SIGKILL)) or process.poll() is not None)
    attempt.faults += 1
    assert attempt.end(process).code == 0
    attempt.complete()


@pytest.mark.row("P8")
def test_an_address_space_that_is_too_small_costs_images_and_never_the_run(trial, gallery):
    attempt = trial(gallery(12, side=600))

    def squeezed():
        resource.setrlimit(resource.RLIMIT_AS, (700_000_000, 700_000_000))

    ended = attempt.run(preexec_fn=squeezed)
    attempt.faults += 1
    assert ended.code in (0, SOME_FAILED, STOPPED)
    attempt.retry()
    attempt.complete()
