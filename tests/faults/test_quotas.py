"""A quota that is used up: one message, exit 3, and nothing has failed (S3). ``test_every_call.py`` has EDQUOT without a quota."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.fault_run import DONE, STOPPED, Ended
from support.invariants import failed

pytestmark = [pytest.mark.row("S3"), pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")]
READER = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")  # this interpreter may lie in the home of root
NAMELESS = ("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", *READER)


def image_of(tmp_path, *maker):
    """Return a disk image with what ``maker`` puts on it; the test is skipped where that program is missing."""
    if shutil.which(maker[0]) is None:
        pytest.skip(f"{maker[0]} makes the disk")
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(128_000_000)
    subprocess.run([*maker, image], check=True, capture_output=True)
    return str(image)


def stops_and_goes_on(attempt, allow, *, before=()):
    """Run within a quota, then with more of it."""
    allow("800K")
    process = attempt.start(before=before)
    out, err = process.communicate(timeout=240)
    attempt.faults += 1
    allow("100M")  # where no byte can be written, not even a commit that was begun can be undone, and so nothing be looked at
    attempt.hold(Ended(process.returncode, out, err))
    assert process.returncode == STOPPED, err
    assert "quota" in err or "space" in err or "ledger" in err
    assert failed(attempt.destination) == {}
    assert attempt.run(before=before).code == DONE
    attempt.complete()


def test_a_users_quota_on_ext4_stops_the_run_and_more_of_it_lets_it_finish(trial, gallery, mounted, tmp_path):
    if shutil.which("setquota") is None:
        pytest.skip("setquota (package quota) sets the quota")
    image = image_of(tmp_path, "mkfs.ext4", "-q", "-m", "0", "-O", "quota")
    try:
        place = mounted("-o", "loop,usrquota", image)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel was built without quota for ext4")
    attempt = trial(gallery(30, side=900), destination=place)
    for path in (place, *place.iterdir()):
        os.chown(path, 12345, 12345)

    def allow(size):
        subprocess.run(["setquota", "-u", "12345", "0", size, "0", "0", place], check=True)

    stops_and_goes_on(attempt, allow, before=NAMELESS)


def test_a_quota_of_a_btrfs_volume_stops_the_run_and_more_of_it_lets_it_finish(trial, gallery, mounted, tmp_path):
    image = image_of(tmp_path, "mkfs.btrfs", "-q")
    try:
        place = mounted("-o", "loop", image)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no btrfs")
    attempt = trial(gallery(30, side=900), destination=place)
    subprocess.run(["btrfs", "quota", "enable", place], check=True, capture_output=True)

    def allow(size):
        subprocess.run(["btrfs", "qgroup", "limit", size, place], check=True, capture_output=True)

    stops_and_goes_on(attempt, allow)


def test_pages_that_workers_share_need_no_space_when_a_quota_of_btrfs_is_used_up(mounted, tmp_path):
    """Had they been in a file there, the next write to them after they went to disk would have been the last (SIGBUS)."""
    image = image_of(tmp_path, "mkfs.btrfs", "-q")
    try:
        place = mounted("-o", "loop", image)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no btrfs")
    subprocess.run(["btrfs", "quota", "enable", place], check=True, capture_output=True)
    subprocess.run([sys.executable, Path(__file__).with_name("_quota_used_up.py"), place], check=True)
