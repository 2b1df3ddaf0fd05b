"""kill -9 of the coordinator at random moments, each followed by a re-run."""

import random
import subprocess
import sys
import time

import pytest

from pixmill.testing.invariants import check, check_complete, finished, identities, outputs

KILLS = 50
ROUNDS = 10  # kills of one output before a run may end
COMMAND = (sys.executable, "-m", "pixmill", "run")


@pytest.mark.slow
def test_fifty_kills_at_random_moments_lose_nothing_and_repeat_nothing(tmp_path, pictures):
    source = pictures(24)
    subprocess.run([*COMMAND, source, tmp_path / "clean"], check=True, capture_output=True)
    expected = outputs(tmp_path / "clean")
    took = undisturbed_seconds(source, tmp_path / "timed")
    chance = random.Random(20261121)
    for round_ in range(KILLS):
        destination = tmp_path / f"out-{round_ // ROUNDS}"
        before, kept = identities(destination), finished(destination)
        kill_after(chance.uniform(0, took), source, destination)
        check(destination, expected)
        now = identities(destination)
        assert {name: now[name] for name in kept} == {name: before[name] for name in kept}
        if round_ % ROUNDS == ROUNDS - 1:
            complete_and_compare(source, destination, expected)


def undisturbed_seconds(source, destination):
    began = time.monotonic()
    subprocess.run([*COMMAND, source, destination], check=True, capture_output=True)
    return time.monotonic() - began


def kill_after(seconds, source, destination):
    process = subprocess.Popen([*COMMAND, source, destination], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def complete_and_compare(source, destination, expected):
    subprocess.run([*COMMAND, source, destination], check=True, capture_output=True)
    check_complete(destination, expected)
