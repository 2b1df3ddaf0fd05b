"""kill -9 of the coordinator at random moments, each followed by a re-run (P9, S11)."""

import random
import subprocess
import sys
import time

import pytest

from support.processes import wait_until

ROUNDS = 9  # kills of one output before a run may end: images that were alone at one of them are not alone at the next
LONGEST = 4.0  # seconds that a run is left alone: on a machine that is busy, most of them are spent on starting


def kills(begin, source, count, *, seed):
    """Kill ``count`` runs at moments drawn from the time that an undisturbed one takes, each followed by another.

    A run that was faster than its moment has finished its output, and the next one begins anew; so does the one after ``ROUNDS``.
    """
    chance = random.Random(seed)
    began = time.monotonic()
    begin(source).complete()
    took = min(time.monotonic() - began, LONGEST)
    killed = 0
    while killed < count:
        attempt = begin(source)
        while attempt.faults < ROUNDS and killed < count:
            process = attempt.start()
            try:
                process.wait(chance.uniform(0, took))
                attempt.end(process)
                break
            except subprocess.TimeoutExpired:
                attempt.kill(process)
                attempt.faults += 1
                killed += 1
        attempt.complete()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.row("P9", "S11")
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(trial, gallery):
    kills(trial, gallery(24, side=300), 12, seed=20261121)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.row("P9", "S11")
@pytest.mark.parametrize("seed", [5, 6])  # two halves, for two cores
def test_two_hundred_kills_lose_nothing_and_repeat_nothing(trial, gallery, seed):
    kills(trial, gallery(24, side=600), 100, seed=seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.row("P9", "S11")
def test_what_a_killed_run_left_is_its_own_though_something_else_is_asked_for_next(gallery, tmp_path):
    source, out, chance = gallery(24, side=300), tmp_path / "out", random.Random(13)
    command = [sys.executable, "-m", "pixmill", "run", str(source), str(out), "--quiet", "--quality"]
    for quality in range(60, 72):
        process = subprocess.Popen([*command, str(quality)])
        wait_until(lambda process=process: process.poll() is not None or any(out.rglob("*.jpg")))
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.wait()
    ended = subprocess.run([*command, "90", "--existing", "refuse"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
