"""Disks that fill up, are mounted read-only or refuse: one message, exit 3, and nothing has failed (S1, S2, S4)."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from support.fault_run import COMMAND, DONE, STOPPED, Ended
from support.invariants import counts, failed
from support.processes import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
needs_mkfs = pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 makes the disk")


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


@pytest.mark.row("S4")
def test_an_output_that_is_read_only_is_refused_at_the_start(trial, gallery, mounted):
    place = mounted("-t", "tmpfs", "none")
    attempt = trial(gallery(30), destination=place)
    mounted("-o", "remount,ro")
    ended = stops_and_goes_on(attempt, lambda: mounted("-o", "remount,rw"))
    assert "read-only" in ended.err or "cannot be written" in ended.err


@pytest.mark.row("S4")
@needs_mkfs
def test_a_disk_that_fails_and_becomes_read_only_stops_the_run(trial, gallery, mounted, tmp_path):
    image = str(disk(tmp_path, 64))
    place = mounted("-o", "loop,errors=remount-ro", image)
    attempt = trial(gallery(60, side=600), destination=place)
    process = attempt.start()
    wait_until(lambda: counts(place).done > 3 or process.poll() is not None)
    # the file system has found an error in itself, and takes nothing more: not even what is open for writing
    Path(f"/sys/fs/ext4/loop{os.minor(place.stat().st_dev)}/trigger_fs_error").write_text("a test of pixmill")
    attempt.faults += 1
    out, err = process.communicate(timeout=240)
    assert process.returncode in (STOPPED, DONE), err
    wait_until(lambda: subprocess.run(["umount", place], check=False, capture_output=True).returncode == 0)
    subprocess.run(["fsck.ext4", "-fy", image], check=False, capture_output=True)
    mounted("-o", "loop", image)
    attempt.hold(Ended(process.returncode, out, err))
    assert failed(place) == {}
    attempt.complete()
