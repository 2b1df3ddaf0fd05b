"""Runs are killed: an image that is the cause is failed in the end, and no other one ever is."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixmill.engine.ipc.status_file import read_status_file
from pixmill.engine.task import Counts, State
from support.fault_run import COMMAND
from support.invariants import counts, failed, records
from support.processes import of_session, wait_until

STEPS = Path(__file__).with_name("_steps.py")
KILLED = -signal.SIGKILL
FATAL, SLOW, TOGETHER = 215, 216, 217  # heights of pictures, which are their fates in ``_steps.py``


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def pictures(tmp_path):
    """Return a function that makes a folder of ``count`` pictures, and one for each of ``heights`` in their midst."""

    def make(count, *heights):
        folder, chance = tmp_path / "in", np.random.default_rng(3)
        folder.mkdir()
        for number in range(count):
            coarse = chance.integers(0, 255, (8, 12, 3), dtype=np.uint8)
            Image.fromarray(coarse).resize((240, 160)).save(folder / f"photo {number:02}.jpg")
        for number, height in enumerate(heights):
            Image.new("RGB", (240, height), (number, 90, 200)).save(folder / f"photo {count // 2 + number:02} culprit.jpg")
        return folder

    return make


@pytest.fixture
def start(out):
    """Return a function that starts a run of a folder in a session of its own; ``shell`` are words before the command."""
    started = []

    def begin(source, *words, function="fate", shell=()):
        line = [*shell, *COMMAND, "run", source, out, "--quiet", "--workers", "4", *words]
        step = ["--step", f"python:function={STEPS}:{function}"]
        started.append(subprocess.Popen([*line, *step], start_new_session=True, stderr=subprocess.DEVNULL))
        return started[-1]

    yield begin
    for process in started:
        kill(process)


def kill(process):
    """Kill all processes of a run at the same time."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not of_session(process.pid))


def ended(process):
    """Return the exit code of a run, once all its processes are gone."""
    code = process.wait(timeout=240)
    wait_until(lambda: not of_session(process.pid))
    return code


def suspects(out):
    return {os.fsdecode(record.key): record.interruptions for record in records(out) if record.interruptions}


def culprits(source):
    return {path.name for path in source.iterdir() if "culprit" in path.name}


def has_begun(out, run):
    """Return what run number ``run`` shows that it is at work on, ``None`` before it has begun."""
    with suppress(FileNotFoundError):
        shown = read_status_file((out / ".pixmill" / "status").read_bytes(), elapsed=time.monotonic(), now=time.time())
        return shown if shown and shown.number == run else None
    return None


def has_only_the_culprit_left(out, run):
    """Tell whether run number ``run`` is at work on the only image that is left."""
    shown = has_begun(out, run)
    pending = [record.id for record in records(out) if record.state is State.PENDING] if shown else []
    return len(pending) == 1 and pending == [begun.id for begun in shown.begun if begun.id in pending]


def kill_at(moments, start, source, out):
    """Kill a run at each of ``moments``, seconds after it has begun, and then complete it; an image takes a fifth of a second."""
    for run, moment in enumerate(moments, 1):
        process = start(source, function="nap")
        wait_until(lambda run=run, process=process: has_begun(out, run) or process.poll() is not None)
        time.sleep(moment)
        kill(process)
    assert ended(start(source, function="nap")) == 0
    assert not failed(out)
    assert counts(out) == Counts(done=50)
    assert not suspects(out)


@pytest.mark.parametrize("moments", [[0.0] * 4, [0.3, 0.1, 0.5, 0.2]], ids=["at the start", "later"])
def test_kills_of_everything_fail_no_image(start, pictures, out, moments):
    kill_at(moments, start, pictures(50), out)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("longest", [0.05, 0.5], ids=["at the start", "at any time"])
def test_twelve_kills_of_everything_fail_no_image(start, pictures, out, seed, longest):
    chance = random.Random(seed)
    kill_at([chance.uniform(0, longest) for _ in range(12)], start, pictures(50), out)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("executor", ["local", "inline"])
def test_an_image_that_kills_the_run_is_failed_after_four_runs_and_no_other(start, pictures, out, executor):
    source = pictures(20, FATAL)
    assert [ended(start(source, "--executor", executor)) for _ in range(5)] == [KILLED] * 4 + [1]
    assert failed(out).keys() == culprits(source)
    assert counts(out) == Counts(done=20, failed=1)
    assert not suspects(out)
    (record,) = failed(out).values()
    assert record.failure.code == "interrupted"
    assert "killed 4 times while it worked on this image" in record.failure.message
    assert record.failure.message.endswith("; the last 2 times it ran alone")
    assert "pixmill retry" in record.failure.hint


@pytest.mark.timeout(300)
def test_two_images_that_kill_the_run_only_together_are_not_accused_for_ever(start, pictures, out):
    source, codes = pictures(20, TOGETHER, TOGETHER), [KILLED]
    while codes[-1] == KILLED:
        codes.append(ended(start(source)))
        assert len(codes) < 6
    assert codes[-1] == 0
    assert KILLED in codes[1:]
    assert counts(out) == Counts(done=22)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_was_told_to_stop_before_it_was_killed_accuses_nobody(start, pictures, out, number):
    source = pictures(4, SLOW)
    process = start(source, "--grace", "1m")
    wait_until(lambda: has_only_the_culprit_left(out, 1))
    process.send_signal(number)
    time.sleep(0.2)  # as ``docker stop`` waits, only shorter
    kill(process)
    start(source)
    wait_until(lambda: has_begun(out, 2))
    assert not suspects(out)
    assert counts(out) == Counts(done=4, pending=1)


@pytest.mark.timeout(300)
def test_an_image_that_needs_longer_than_each_run_is_given_is_failed_and_everything_else_is_done(start, pictures, out):
    source = pictures(20, SLOW)
    for run in range(1, 5):
        process = start(source)
        wait_until(lambda run=run: has_only_the_culprit_left(out, run))
        time.sleep(0.8)
        kill(process)
    assert ended(start(source)) == 1
    assert failed(out).keys() == culprits(source)
    assert counts(out) == Counts(done=20, failed=1)
    (record,) = failed(out).values()
    assert "killed 4 times" in record.failure.message
    assert record.failure.message.count(" s") >= 4
    assert "under" not in record.failure.message


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_time_limit_that_is_too_short_for_one_image_costs_only_that_image(pictures, out):
    source, codes = pictures(50, SLOW), [KILLED]
    line = ["timeout", "-s", "KILL", "12", *COMMAND, "run", source, out, "--quiet", "--step", f"python:function={STEPS}:fate"]
    while codes[-1] not in (0, 1):
        codes.append(subprocess.run(line, check=False, stderr=subprocess.DEVNULL).returncode)
        assert len(codes) < 20
    assert codes[-1] == 1
    assert failed(out).keys() == culprits(source)
    assert counts(out) == Counts(done=50, failed=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount needs root")
@pytest.mark.parametrize("is_same_boot", [True, False])
def test_a_run_that_ended_with_its_machine_accuses_nobody(start, pictures, tmp_path, out, is_same_boot):
    source = pictures(4, SLOW)
    process = start(source)
    wait_until(lambda: has_only_the_culprit_left(out, 1))
    kill(process)
    boot = tmp_path / "boot"
    boot.write_text("00000000-0000-0000-0000-000000000000\n")
    mount = "" if is_same_boot else f"mount --bind {boot} /proc/sys/kernel/random/boot_id && "
    start(source, shell=("unshare", "--mount", "sh", "-c", mount + 'exec "$@"', "sh"))
    wait_until(lambda: has_begun(out, 2))
    assert suspects(out).keys() == (culprits(source) if is_same_boot else set())


FILL = """
import os, sys
from contextlib import ExitStack
from pathlib import Path
from pixmill.batch.state.status_file import open_status_file
from pixmill.engine.task import Attempt, Task

status = open_status_file(Path("."), ExitStack())
place = status.open_place()
status.begin_run(1, 1.0)
os.sync()
for size in (65_536, 4_096):
    try:
        with open(f"fill {size}", "wb", 0) as file:
            while True:
                file.write(bytes(size))
                os.fsync(file.fileno()) if size == 4_096 else None
    except OSError:
        pass
os.sync()
for number in (1, 2):
    place.begin(number, Attempt(Task.of("a")), 1.0)
    status.set_active(2.0)
    os.sync()
print("alive, no further place" if status.open_place() is None else "alive")
status.end_run()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize(("maker", "said"), [("mkfs.ext4", "alive, no further place\n"), ("mkfs.btrfs", "alive\n")])
def test_what_is_at_work_can_be_shown_on_a_full_disk(mounted, tmp_path, maker, said):
    """On btrfs the pages are in memory, where there is room for more."""
    if shutil.which(maker) is None:
        pytest.skip(f"{maker} makes the disk")
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(128_000_000)
    subprocess.run([maker, "-q", image], check=True, capture_output=True)
    place = mounted("-o", "loop", image)
    ended = subprocess.run([sys.executable, "-c", FILL], cwd=place, check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, said), ended.stderr
