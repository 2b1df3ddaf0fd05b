"""The power goes while the command works on a disk of its own: ext4, without flushing its journal (S9, S10, S11)."""

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import time
from contextlib import suppress

import pytest

from support import invariants
from support.processes import of_session, wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root"),
    pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 makes the disk"),
]
SHUTDOWN, WITHOUT_FLUSHING_THE_LOG = 0x8004587D, 2  # FS_IOC_SHUTDOWN of Linux


class Disk:
    """An ext4 file system in a file, mounted at ``place``.

    With blocks of 1 KB the ledger is kept in another way: see ``pixmill.engine.sqlite.journal_mode``.
    """

    def __init__(self, folder, block):
        self.place, self.image = folder / "disk", folder / "disk.img"
        self.place.mkdir()
        with self.image.open("wb") as file:
            file.truncate(128_000_000)
        subprocess.run(["mkfs.ext4", "-q", "-b", str(block), self.image], check=True)
        self.mount(self.image)

    def mount(self, image):
        subprocess.run(["mount", "-o", "loop", image, self.place], check=True)

    def unmount(self):
        wait_until(
            lambda: subprocess.run(["umount", self.place], check=False, capture_output=True).returncode == 0
        )  # others may look

    def restore(self):
        """Bring it back after a cut, as a copy: a namespace that another test made meanwhile may hold the one that is cut off."""
        self.unmount()
        before, self.image = self.image, self.image.with_name(f"{self.image.stem}+.img")
        subprocess.run(["cp", "--sparse=always", before, self.image], check=True)
        before.unlink()
        self.mount(self.image)

    def cut(self):
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING_THE_LOG))
        finally:
            os.close(descriptor)


@pytest.fixture
def disk(tmp_path, request):
    made = Disk(tmp_path, getattr(request, "param", 4096))
    yield made
    subprocess.run(["umount", "--lazy", made.place], check=False, capture_output=True)


def cut_at(attempt, disk, seconds):
    """Cut the power after so many seconds of a run, bring the disk back, and hold what is on it to the invariants."""
    process = attempt.start()
    time.sleep(seconds)  # the moment is what is drawn by lot
    before = set(invariants.finished(disk.place)) if process.poll() is None else set()
    disk.cut()
    process.kill()
    process.communicate()
    wait_until(lambda: not of_session(process.pid))
    disk.restore()
    attempt.faults += 1
    attempt.changed()  # what was renamed and not yet in the ledger may be made again
    invariants.check(disk.place, attempt.expected)
    assert before <= set(invariants.finished(disk.place)), "what the ledger called done was forgotten"


def photograph(image, copy, process):
    """Copy a disk as it is at one moment: the run stands still, and the copy counts when nothing was written meanwhile."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGSTOP)
    before = None
    while before != image.stat().st_mtime_ns:
        before = image.stat().st_mtime_ns
        shutil.copyfile(image, copy)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)


def seconds_of(attempt, disk):
    began = time.monotonic()
    attempt.complete()
    took = time.monotonic() - began
    for path in disk.place.iterdir():
        if path.is_dir() and path.name != "lost+found":
            shutil.rmtree(path)
    attempt.changed()
    return took


def cuts(attempt, disk, count, *, seed):
    """Cut the power ``count`` times; finish after every third, and begin anew."""
    took, chance = seconds_of(attempt, disk), random.Random(seed)
    for number in range(count):
        cut_at(attempt, disk, chance.uniform(0.2, 1) * took)
        if number % 3 == 2 or number == count - 1:
            attempt.complete()
            if number < count - 1:
                for path in disk.place.iterdir():
                    if path.is_dir() and path.name != "lost+found":
                        shutil.rmtree(path)
                attempt.changed()


@pytest.mark.row("S9")
def test_what_is_done_survives_a_power_cut(trial, gallery, disk):
    cuts(trial(gallery(30, side=600), destination=disk.place), disk, 3, seed=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.row("S9")
@pytest.mark.parametrize("disk", [4096, 1024], indirect=True)
def test_thirty_power_cuts_lose_nothing(trial, gallery, disk):
    cuts(trial(gallery(30, side=600), destination=disk.place), disk, 30, seed=2)


@pytest.mark.row("S10")
def test_a_copy_of_the_disk_taken_at_any_moment_can_be_gone_on_from(trial, gallery, disk, tmp_path):
    attempt = trial(gallery(60, side=600), destination=disk.place)
    process = attempt.start()
    copies = []
    while process.poll() is None and len(copies) < 5:
        wanted = invariants.counts(disk.place).done + 6
        wait_until(lambda: invariants.counts(disk.place).done >= wanted or process.poll() is not None)  # noqa: B023  # called at once
        copies.append(tmp_path / f"copy-{len(copies)}.img")
        photograph(disk.image, copies[-1], process)
    attempt.end(process)
    disk.unmount()
    for copy in copies:
        subprocess.run(["fsck.ext4", "-y", copy], check=False, capture_output=True)
        disk.mount(copy)
        attempt.faults += 1
        attempt.changed()
        invariants.check(disk.place, attempt.expected)
        (disk.place / ".pixmill-notes.tmp").write_text("somebody else's")
        attempt.complete()
        disk.unmount()
    disk.mount(disk.image)
