"""A watcher under faults: killed while it works, flooded, robbed of its output."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from PIL import Image

from support.invariants import finished, identities

COMMAND = (sys.executable, "-m", "pixmill")
DEADLINE = 240.0


@contextmanager
def watching(folder, *options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIXMILL_")}
    command = (*COMMAND, "watch", "in", "out", "--settle", "200ms", *options)
    watcher = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield watcher
    finally:
        if watcher.poll() is None:
            watcher.kill()
        watcher.wait()
        watcher.stderr.close()


def wait_until(is_so, watcher):
    end = time.monotonic() + DEADLINE
    while not is_so():
        assert watcher.poll() is None, watcher.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def made(folder):
    return {path.name for path in (folder / "out").rglob("*.jpg")}


def members(group):
    """Return the processes that still run in a session."""
    found = subprocess.run(("ps", "-o", "pid=,stat=", "-s", str(group)), capture_output=True, text=True, check=False).stdout
    return [line for line in found.splitlines() if "Z" not in line.split()[1]]


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_a_watcher_that_is_killed_leaves_nobody_behind_and_the_next_one_ends_with_every_image(source, tmp_path):
    wanted = {f"{number}.jpg" for number in range(30)}
    for name in wanted:
        Image.effect_noise((900, 700), 60).save(source / name)
    for number in (3, 9, 15):
        with watching(tmp_path) as watcher:
            wait_until(lambda enough=number: len(made(tmp_path)) >= enough, watcher)
            watcher.send_signal(signal.SIGKILL)
            watcher.wait()
            end = time.monotonic() + DEADLINE
            while members(watcher.pid):
                assert time.monotonic() < end
                time.sleep(0.02)
    before = identities(tmp_path / "out")
    kept = {name: before[name] for name in finished(tmp_path / "out")}  # the others have only their names yet, and are made again
    with watching(tmp_path) as watcher:
        wait_until(lambda: made(tmp_path) == wanted, watcher)
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(DEADLINE) == 0
    assert not list((tmp_path / "out").rglob(".pixmill-*"))
    assert kept
    assert kept.items() <= identities(tmp_path / "out").items()
    for name in wanted:
        with Image.open(tmp_path / "out" / name) as image:
            image.load()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "how"), [(10_000, ()), (2_000, ("--poll", "200ms"))], ids=["inotify", "polling"])
def test_a_burst_of_files_is_made_to_the_last_one(source, tmp_path, number, how):
    Image.new("RGB", (8, 8), "teal").save(tmp_path / "tiny.jpg")
    data = (tmp_path / "tiny.jpg").read_bytes()
    with watching(tmp_path, "--durability", "none", *how) as watcher:
        wait_until((tmp_path / "out" / ".pixmill" / "heartbeat").exists, watcher)
        for index in range(number):
            folder = source / f"{index % 7}"
            folder.mkdir(exist_ok=True)
            (folder / f"{index}.jpg").write_bytes(data)
        wait_until(lambda: len(made(tmp_path)) == number, watcher)
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(DEADLINE) == 0
        assert f"done      {number:,} images" in watcher.stderr.read()


def test_a_second_watcher_on_one_output_is_refused(source, tmp_path):
    Image.new("RGB", (8, 8)).save(source / "a.jpg")
    with watching(tmp_path) as first:
        wait_until(lambda: made(tmp_path), first)
        with watching(tmp_path) as second:
            assert second.wait(DEADLINE) == 3
            assert "another run is writing" in second.stderr.read()
        assert first.poll() is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_a_full_disk_ends_the_watch_and_the_next_one_makes_what_was_left(source, tmp_path):
    for number in range(60):
        Image.effect_noise((900, 700), 90).save(source / f"{number:02}.jpg", quality=95)
    (tmp_path / "out").mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", tmp_path / "out"), check=True)
    try:
        with watching(tmp_path) as watcher:
            assert watcher.wait(DEADLINE) == 3
            assert "free some space" in watcher.stderr.read()  # for an image, or for the ledger
        subprocess.run(("mount", "-o", "remount,size=200m", tmp_path / "out"), check=True)
        with watching(tmp_path) as watcher:
            wait_until(lambda: len(made(tmp_path)) == 60, watcher)
            watcher.send_signal(signal.SIGTERM)
            assert watcher.wait(DEADLINE) == 0
    finally:
        subprocess.run(("umount", tmp_path / "out"), check=True)
