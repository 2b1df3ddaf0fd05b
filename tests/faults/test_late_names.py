"""Runs are killed between the claim of a late name and the file: no name changes, nothing is written twice, nothing is lost."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Counts
from support.fault_run import COMMAND
from support.invariants import counts, finished, identities, outputs
from support.processes import of_session, wait_until

STEPS = Path(__file__).with_name("_steps.py")
TAKEN = 36867
IMAGES = 36
ROUNDS = 6  # kills of one output before a run may end: images that were alone at one of them are not alone at the next


@pytest.fixture
def camera(tmp_path):
    """Return pictures in three folders that have the same names, taken in two months."""
    chance = np.random.default_rng(5)
    for number in range(IMAGES):
        path = tmp_path / "in" / str(number % 3) / f"IMG_{number // 3:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif.get_ifd(0x8769)[TAKEN] = f"2024:0{1 + number % 2}:17 10:11:12"
        coarse = chance.integers(0, 255, (8, 12, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((240, 160)).save(path, exif=exif)
    return tmp_path / "in"


def start(source, out):
    line = [*COMMAND, "run", source, out, "--quiet", "--workers", "4", "--name", "{date:%Y/%m}/{stem}.{ext}"]
    step = ["--step", f"python:function={STEPS}:nap"]  # a fifth of a second each
    return subprocess.Popen([*line, *step], start_new_session=True, stderr=subprocess.DEVNULL)


def owners(out):
    """Return whose each name is in the ledger of ``out``, which a run may be writing to."""
    with suppress(RunError, FileNotFoundError):
        ledger = SqliteLedger(out / ".pixmill" / "ledger.sqlite", read_only=True, is_checked=False)
        try:
            return {name.replace(b"\0", b"/").decode(): owner for name, owner in ledger.owners(b"", b"\xff")}
        finally:
            ledger.close()
    return {}


def kill(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not of_session(process.pid))


def lower(names):
    return {name.lower() for name in names}


def kill_between_claims_and_files(source, folder, count):
    """Kill ``count`` runs that have claimed names whose files are not there yet; complete each output and check it."""
    chance, killed, number = random.Random(count), 0, 0
    while killed < count:
        number += 1
        out, known = folder / f"out {number}", {}
        for _ in range(min(ROUNDS, count - killed)):
            process = start(source, out)
            claimed = len(known)
            wait_until(lambda out=out, n=claimed, process=process: len(owners(out)) > n or process.poll() is not None)
            time.sleep(chance.choice((0, 0, 0.02, 0.1, 0.3)))
            kill(process)
            killed += 1
            known = checked(out, known)
        written = {name: each for name, each in identities(out).items() if name in finished(out)}
        ended = start(source, out)
        assert ended.wait(timeout=240) == 0
        assert counts(out) == Counts(done=IMAGES)
        assert checked(out, known).keys() == lower(outputs(out))
        assert len(outputs(out)) == len(set(owners(out).values())) == len(finished(out)) == IMAGES
        now = identities(out)
        assert {name: now[name] for name in written} == written


def checked(out, known):
    """Return whose the names are now, after checking that none has changed and that every file has one."""
    now = owners(out)
    assert {name: now.get(name) for name in known} == known
    assert lower(outputs(out)) <= now.keys()
    assert len(set(now.values())) == len(now), "an image has two names"
    return now


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_between_claim_and_file_change_no_name(camera, tmp_path):
    kill_between_claims_and_files(camera, tmp_path, 12)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_hundred_kills_between_claim_and_file_change_no_name(camera, tmp_path):
    kill_between_claims_and_files(camera, tmp_path, 200)
