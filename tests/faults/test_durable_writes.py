"""Power cuts and disks that fail in the middle: what was said to be durable is there, and nothing else is believed (S6, S9)."""

import fcntl
import itertools
import os
import shutil
import struct
import subprocess
import sys
from contextlib import closing

import pytest

from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import State
from pixmill.storage.schemes.file import FileStorage
from support.processes import wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace injects the faults")
SHUTDOWN, WITHOUT_FLUSHING_THE_LOG = 0x8004587D, 2  # FS_IOC_SHUTDOWN of Linux

# writes a file, then says in the ledger that it is done, then prints its number; for ever or until something fails
WORK = """
import itertools, os, sys
from pathlib import Path
from pixmill.core.errors import PixmillError
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import Attempt, Done, Task
from pixmill.storage.schemes.file import FileStorage
root, rounds = sys.argv[1], int(sys.argv[2])
try:
    ledger = SqliteLedger(Path(root, "ledger.db"))
    storage = FileStorage(os.fsencode(root))
    ledger.begin_run()
    for number in range(rounds):
        task = Task(bytes(16), b"%d/%d.jpg" % (number % 7, number))
        ledger.get_or_add([task])
        ledger.start_attempts([Attempt(task)])
        storage.write(task.key, task.key * 1000, durable=True)
        ledger.record_outcomes([Done(task=task)])
        print(task.key.decode(), flush=True)
except PixmillError as error:
    print("stopped", error.code, file=sys.stderr)
"""


def work(root, rounds, *, before=()):
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*before, os.path.realpath(sys.executable), "-c", WORK, str(root), str(rounds)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(root, said):
    """Everything that was said to be done is done, and everything that the ledger has as done is whole."""
    with closing(SqliteLedger(root / "ledger.db")) as ledger:
        assert ledger.quarantined is None
        done = [record.key for record in ledger.records(State.DONE)]
    storage = FileStorage(os.fsencode(root))
    assert {os.fsencode(key) for key in said} <= set(done)
    for key in done:
        assert storage.read(key, limit=1_000_000) == key * 1000


@pytest.fixture
def disk(tmp_path):
    """Return an ext4 file system of its own, mounted, and a function that cuts its power and brings it back."""
    image, place = tmp_path / "disk.img", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(64_000_000)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)

    def unmount():
        wait_until(lambda: subprocess.run(["umount", place], check=False, capture_output=True).returncode == 0)  # others may look

    def cut():
        descriptor = os.open(place, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING_THE_LOG))
        os.close(descriptor)

    def restore():
        unmount()
        copy = tmp_path / "copy.img"  # a namespace that another test made meanwhile may hold the one that is cut off
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        subprocess.run(["mount", "-o", "loop", copy, place], check=True)

    yield place, cut, restore
    unmount()


@needs_root
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 makes the disk")
@pytest.mark.parametrize("reports", [1, 30, 101])
def test_what_was_done_survives_a_power_cut(disk, reports):
    place, cut, restore = disk
    worker = work(place, 1_000_000)
    said = [worker.stdout.readline().strip() for _ in range(reports)]
    cut()
    said += worker.communicate(timeout=240)[0].split()
    restore()
    assert len(said) >= reports
    check(place, said)


@needs_strace
@pytest.mark.parametrize(
    ("call", "error", "step"),
    [
        ("pwrite64", "ENOSPC", 4),
        ("fdatasync", "EIO", 1),
        ("fsync", "EIO", 1),
        ("renameat2", "EIO", 1),
    ],
)
def test_a_disk_that_fails_at_the_nth_call_never_makes_a_lie_durable(tmp_path, call, error, step):
    injected = 0
    for number in itertools.count(1, step):
        root, trace = tmp_path / str(number), tmp_path / f"trace-{number}"
        root.mkdir()
        fault = f"inject={call}:error={error}:when={number}"
        worker = work(root, 2, before=["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={call}", "-e", fault])
        said, complaint = worker.communicate(timeout=240)
        assert "Traceback" not in complaint
        check(root, said.split())
        if "INJECTED" not in trace.read_text():
            break
        injected += 1
    assert said.split() == ["0/0.jpg", "1/1.jpg"]
    assert injected > 1
