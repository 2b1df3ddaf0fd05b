"""The command is signalled, stopped, cut off from its terminal or moved in time (P9 to P14, P17)."""

import os
import signal
import subprocess
import time
from contextlib import suppress

import pytest

from support.fault_run import COMMAND, DONE, INTERRUPTED, STOPPED, TERMINATED
from support.invariants import counts
from support.processes import grandchildren, of_session, wait_until

DAY = 86_400


def begun(attempt, process, share):
    """Wait until a share of the images is done, or the run is over."""
    wanted = int(share * len(attempt.expected))
    wait_until(lambda: counts(attempt.destination).done >= wanted or process.poll() is not None)


@pytest.mark.row("P9")
def test_nobody_outlives_a_coordinator_that_is_killed(trial, gallery):
    attempt = trial(gallery(60, side=600))
    process = attempt.start()
    wait_until(lambda: grandchildren(process.pid) or process.poll() is not None)
    process.kill()
    attempt.faults += 1
    wait_until(lambda: not of_session(process.pid))
    attempt.kill(process)
    attempt.complete()


@pytest.mark.row("P10")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_one_signal_finishes_what_is_in_flight(trial, gallery, number, share):
    attempt = trial(gallery(60, side=600))
    process = attempt.start()
    begun(attempt, process, share)
    process.send_signal(number)
    attempt.faults += 1
    ended = attempt.end(process)
    assert ended.code in (INTERRUPTED if number == signal.SIGINT else TERMINATED, DONE)
    attempt.complete()


@pytest.mark.row("P11")
def test_two_signals_stop_at_once(trial, gallery, poison_step, tmp_path):
    attempt = trial(gallery(30, heights=(208,)), *poison_step, doomed=["0/poison 000.jpg"])
    with (tmp_path / "said").open("w") as said:
        process = attempt.start("--timeout", "1h", "--grace", "1h", stderr=said)
    begun(attempt, process, 0.5)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: "press Ctrl-C again" in (tmp_path / "said").read_text())  # two at once may arrive as one
    process.send_signal(signal.SIGINT)
    attempt.faults += 2
    assert attempt.end(process).code == INTERRUPTED
    attempt.complete("--timeout", "3s")


@pytest.mark.row("P12")
@pytest.mark.parametrize(
    "shell", ["{} --json | head -1", "{} --json >&-", "{} 2>&-", "{} --json >/dev/full", "{} 2>/dev/full", "{} --json <&-"]
)
def test_a_reader_that_goes_away_costs_no_image(trial, gallery, shell):
    attempt = trial(gallery(30))
    line = " ".join(map(str, [*COMMAND, "run", attempt.source, attempt.destination]))
    result = subprocess.run(["bash", "-c", shell.format(line)], capture_output=True, text=True, check=False, timeout=240)
    attempt.faults += 1
    assert "Traceback" not in result.stderr
    attempt.complete()
    assert counts(attempt.destination).done == 30


@pytest.mark.row("P13")
def test_a_laptop_that_sleeps_times_nothing_out(trial, gallery):
    attempt = trial(gallery(60, side=600))
    process = attempt.start("--timeout", "4s")
    begun(attempt, process, 0.3)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(6)  # the sleep itself: half as much again as the deadline
        os.killpg(process.pid, signal.SIGCONT)
    attempt.faults += 1
    assert attempt.end(process).code == DONE


@pytest.mark.long
@pytest.mark.row("P13")
def test_a_minute_of_sleep_times_nothing_out(trial, gallery):
    attempt = trial(gallery(60, side=600))
    process = attempt.start("--timeout", "10s")
    begun(attempt, process, 0.1)
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(60)  # the sleep itself: six times the deadline
    os.killpg(process.pid, signal.SIGCONT)
    attempt.faults += 1
    assert attempt.end(process).code == DONE
    attempt.complete()


@pytest.mark.row("P14")
@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_moved_a_day_expires_nothing(trial, gallery, shim, days):
    attempt = trial(gallery(30))
    moved = shim(CLOCK_AT=40, CLOCK_BY=days * DAY)
    assert attempt.run("--timeout", "1h", env=moved.environment).code == DONE
    attempt.faults += 1
    assert moved.fired > 10
    attempt.complete()
    listed = subprocess.run([*COMMAND, "status", attempt.destination, "--json"], capture_output=True, text=True, check=True)
    assert '"done":30' in listed.stdout.replace(" ", "")


def test_an_output_that_is_deleted_meanwhile_ends_the_run_and_nothing_is_written_in_its_place(trial, gallery, tmp_path):
    attempt = trial(gallery(60, side=600))
    process = attempt.start("--index", tmp_path / "index.jsonl", "--report", tmp_path / "report.html")
    begun(attempt, process, 0.3)
    process.send_signal(signal.SIGSTOP)
    attempt.destination.rename(tmp_path / "deleted")
    process.send_signal(signal.SIGCONT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == STOPPED
    assert "was removed" in said
    assert "defect" not in said
    assert not (attempt.destination / ".pixmill").exists()
    assert not list(tmp_path.glob("index.*")) + list(tmp_path.glob("report.*"))
