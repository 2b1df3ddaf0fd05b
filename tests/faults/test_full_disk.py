"""Disks that fill up, are mounted read-only or refuse: one message, exit 3, and nothing has failed (S1 to S5)."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from pixmill.testing.invariants import counts, failed
from pixmill.testing.processes import wait_until
from pixmill.testing.trial import COMMAND, DONE, SOME_FAILED, STOPPED

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
NOBODY = ("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups")
READER = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
NAMELESS = (*NOBODY, *READER)
needs_mkfs = pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 makes the disk")


@pytest.fixture
def mounted(tmp_path):
    """Return a function that mounts a file system with these words of ``mount`` and gives its place."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*words):
        subprocess.run(["mount", *words, place], check=True)
        return place

    yield mount
    with suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)


def disk(tmp_path, megabytes, *words):
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", *words, image], check=True)
    return image


def fill_up(place, *, but):
    """Fill a disk with a file, to the last block but these bytes, and return the file."""
    ballast = place / ".pixmill-ballast.tmp"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 1024):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
        file.truncate(max(0, file.tell() - but))
        os.fsync(file)
    return ballast


def let_in(folder):
    """Let everybody pass through the private folders that pytest makes."""
    everybodys = Path(tempfile.gettempdir())
    for each in (folder, *folder.parents):
        if everybodys in each.parents:
            each.chmod(each.stat().st_mode | 0o011)


def stops_and_goes_on(attempt, make_room):
    """The run stops with one message and fails no image; once there is room, the next one finishes."""
    ended = attempt.run()
    attempt.faults += 1
    assert ended.code == STOPPED, ended.err
    assert failed(attempt.destination) == {}
    make_room()
    attempt.complete()
    return ended


@pytest.mark.row("S1")
def test_a_full_tmpfs_stops_the_run_and_more_room_lets_it_finish(trial, gallery, mounted):
    place = mounted("-t", "tmpfs", "-o", "size=1m", "none")
    attempt = trial(gallery(30, side=900), destination=place)
    ended = stops_and_goes_on(attempt, lambda: mounted("-o", "remount,size=100m"))
    assert "space" in ended.err
    assert counts(place).done == 30


@pytest.mark.row("S1")
@needs_mkfs
@pytest.mark.parametrize("block", [4096, 1024])  # smaller than a page of memory: what is mapped may have no place on the disk
def test_a_disk_that_tells_only_late_that_it_is_full_stops_the_run(trial, gallery, mounted, tmp_path, block):
    place = mounted("-o", "loop", str(disk(tmp_path, 12, "-b", str(block))))
    attempt = trial(gallery(30, side=900), destination=place)
    ballast = fill_up(place, but=700_000)
    stops_and_goes_on(attempt, ballast.unlink)


@pytest.mark.row("S1")
@needs_mkfs
@pytest.mark.parametrize("free", [0, 60_000, 120_000, 180_000, 270_000])
def test_a_disk_of_small_blocks_never_kills_whoever_touches_the_ledger(trial, gallery, mounted, tmp_path, free):
    place = mounted("-o", "loop", str(disk(tmp_path, 8, "-b", "1024")))
    attempt = trial(gallery(12), destination=place)
    ballast = fill_up(place, but=free)
    ended = attempt.run()
    attempt.faults += 1
    assert ended.code in (DONE, STOPPED), ended.err
    looked = subprocess.run([*COMMAND, "status", place], capture_output=True, text=True, check=False)
    assert looked.returncode >= 0, f"killed by signal {-looked.returncode}"
    ballast.unlink()
    attempt.complete()


@pytest.mark.row("S2")
def test_a_disk_without_inodes_stops_the_run(trial, gallery, mounted):
    place = mounted("-t", "tmpfs", "-o", "size=100m,nr_inodes=20", "none")
    attempt = trial(gallery(30), destination=place)
    stops_and_goes_on(attempt, lambda: mounted("-o", "remount,nr_inodes=1000"))


@pytest.mark.row("S3")
@needs_mkfs
@pytest.mark.skipif(shutil.which("setquota") is None, reason="setquota (package quota) sets the quota")
def test_a_quota_that_is_used_up_stops_the_run(trial, gallery, mounted, tmp_path):
    try:
        place = mounted("-o", "loop,usrquota", str(disk(tmp_path, 64, "-O", "quota")))
    except subprocess.CalledProcessError:
        pytest.skip("the kernel knows no quota")
    attempt = trial(gallery(30, side=900), destination=place)
    for path in (place, *place.iterdir()):
        os.chown(path, 12345, 12345)

    def allow(blocks):
        subprocess.run(["setquota", "-u", "12345", "0", str(blocks), "0", "0", place], check=True)

    allow(800)
    ended = attempt.run(before=NAMELESS)
    attempt.faults += 1
    assert ended.code == STOPPED, ended.err
    assert "space" in ended.err or "ledger" in ended.err
    allow(100_000)
    assert attempt.run(before=NAMELESS).code == 0
    attempt.complete()


@pytest.mark.row("S4")
def test_an_output_that_is_read_only_is_refused_at_the_start(trial, gallery, mounted):
    place = mounted("-t", "tmpfs", "none")
    attempt = trial(gallery(30), destination=place)
    mounted("-o", "remount,ro")
    ended = stops_and_goes_on(attempt, lambda: mounted("-o", "remount,rw"))
    assert "read-only" in ended.err or "cannot be written" in ended.err


@pytest.mark.row("S4")
def test_an_output_that_becomes_read_only_stops_the_run(trial, gallery, mounted):
    place = mounted("-t", "tmpfs", "none")
    attempt = trial(gallery(60, side=900), destination=place)
    process = attempt.start()
    wait_until(lambda: counts(place).done > 3 or process.poll() is not None)

    def freeze():
        return subprocess.run(["mount", "-o", "remount,ro", place], check=False, capture_output=True).returncode == 0

    wait_until(lambda: freeze() or process.poll() is not None)  # busy while a file is open for writing
    attempt.faults += 1
    ended = attempt.end(process)
    assert ended.code in (STOPPED, 0), ended.err
    assert failed(place) == {}
    mounted("-o", "remount,rw")
    attempt.complete()


@pytest.mark.row("S5")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv changes the user")
@pytest.mark.long  # it needs an interpreter that every user may start, which few machines have
def test_an_output_that_may_not_be_written_stops_the_run_and_a_file_that_may_not_be_read_costs_itself(trial, gallery, tmp_path):
    source = tmp_path / "in"
    shutil.copytree(gallery(12), source)
    attempt = trial(source)
    ended = attempt.run(before=NAMELESS)
    attempt.faults += 1
    assert ended.code == STOPPED
    assert "cannot be written by user 12345" in ended.err
    for path in (attempt.destination, *attempt.destination.iterdir()):
        os.chown(path, 12345, 12345)
    source.chmod(0o755)  # a copy of a folder that pytest made private
    locked = source / "1" / "photo 001.jpg"
    locked.chmod(0)
    if subprocess.run([*NOBODY, sys.executable, "-c", "import pixmill"], capture_output=True, check=False).returncode:
        attempt.complete()
        pytest.skip("this interpreter cannot be run by another user")
    let_in(tmp_path)
    ended = attempt.run(before=NOBODY)
    attempt.faults += 1
    assert ended.code == SOME_FAILED, ended.err
    assert failed(attempt.destination)["1/photo 001.jpg"].failure.code == "read-denied"
    locked.chmod(0o644)
    attempt.retry()
    attempt.complete()
