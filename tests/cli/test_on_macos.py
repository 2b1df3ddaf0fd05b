"""A run on what Python has on macOS: the same results, by other means. See tests/fixtures/systems for what that leaves out."""

import os
import signal
import subprocess

import pytest
from PIL import Image

from support.other_systems import COMMAND, environment
from support.processes import of_session, wait_until

PICTURES = 20


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PICTURES):
        Image.effect_noise((480, 360), 10 + number).convert("RGB").save(folder / f"p{number:02}.jpg")
    return folder


@pytest.fixture
def mac(pixmill, clean_environment):
    """Run the command as on macOS."""
    there = environment("macos", clean_environment)
    return lambda *words: pixmill(*words, env=there)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*.*")}


def test_a_run_gives_the_same_files_as_on_linux_and_leaves_nothing_else(mac, pixmill, pictures, tmp_path):
    assert pixmill("run", pictures, "linux").returncode == 0
    ended = mac("run", pictures, "out")
    assert (ended.returncode, "done      20 images" in ended.stderr) == (0, True), ended.stderr
    assert contents(tmp_path / "out") == contents(tmp_path / "linux")
    assert len(contents(tmp_path / "out")) == PICTURES
    kept = {path.name for path in (tmp_path / "out/.pixmill").iterdir()}
    assert kept == {
        ".gitignore",
        "README",
        "ledger.sqlite",
        "lock",
        "output-id",
        "runs",
    }
    again = mac("run", pictures, "out")
    assert "skipped   20 images, already done and unchanged" in again.stderr
    assert "the outputs of 20 images match the ledger" in mac("verify", "out").stderr


def test_one_line_says_that_workers_are_not_confined(mac, pictures):
    notes = [line for line in mac("run", pictures, "out").stderr.splitlines() if line.startswith("note ")]
    (note,) = notes
    assert "this system cannot keep a worker that an image takes over from writing outside the output" in note


def test_a_run_that_is_killed_leaves_no_process_and_is_resumed(mac, pixmill, pictures, tmp_path, clean_environment):
    out = tmp_path / "out"
    assert pixmill("run", pictures, "linux").returncode == 0
    line = [*COMMAND, "run", str(pictures), "out", "--max-rate", "4/s", "--workers", "2"]
    there = environment("macos", clean_environment)
    run = subprocess.Popen(line, cwd=tmp_path, env=there, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_until(lambda: len(contents(out)) >= 3)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    wait_until(lambda: of_session(run.pid) == [])
    finished = {path.name: path.stat() for path in out.glob("[!.]*.*")}
    assert 3 <= len(finished) < PICTURES
    resumed = mac("run", pictures, "out")
    assert resumed.returncode == 0, resumed.stderr
    assert contents(out) == contents(tmp_path / "linux")
    recorded = [line for line in resumed.stderr.splitlines() if line.startswith(("done", "skipped"))]
    assert sum(int(line.split()[1]) for line in recorded) == PICTURES
    assert {(out / name).stat().st_ino for name in finished} == {status.st_ino for status in finished.values()}
    assert not [path for path in out.rglob("*") if ".tmp" in path.name]


def test_a_second_run_on_the_same_output_is_refused(mac, pictures, tmp_path, clean_environment):
    line = [*COMMAND, "run", str(pictures), "out", "--max-rate", "2/s"]
    there = environment("macos", clean_environment)
    run = subprocess.Popen(line, cwd=tmp_path, env=there, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: contents(tmp_path / "out"))
        second = mac("run", pictures, "out")
        assert (second.returncode, "another run is writing to" in second.stderr) == (3, True)
    finally:
        run.terminate()
        run.communicate()
    assert run.returncode == 143


def test_a_watch_polls_and_ends_at_a_signal(pictures, tmp_path, clean_environment):
    there = environment("macos", clean_environment)
    line = [*COMMAND, "watch", str(pictures), "out"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    watch = subprocess.Popen(line, cwd=tmp_path, env=there, start_new_session=True, **streams)
    wait_until(lambda: len(contents(tmp_path / "out")) == PICTURES)
    (pictures / "p00.jpg").rename(pictures / "new.jpg")
    wait_until(lambda: "new.jpg" in contents(tmp_path / "out"))
    watch.send_signal(signal.SIGINT)
    _, errors = watch.communicate()
    assert watch.returncode == 0
    assert "darwin has no inotify" in errors
    assert of_session(watch.pid) == []


def test_the_doctor_says_what_is_missing(mac, pixmill):
    lines = dict(line.split(maxsplit=1) for line in mac("doctor").stdout.splitlines() if not line.startswith(" "))
    assert lines["runs"].startswith("without a record of what was at work when a run was killed; ")
    assert lines["sandbox"].startswith("this system cannot keep a worker")
    here = dict(line.split(maxsplit=1) for line in pixmill("doctor").stdout.splitlines() if not line.startswith(" "))
    assert here["runs"] == "with all that they use"
