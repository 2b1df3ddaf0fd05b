"""Very many files, in one folder or in very many: the run begins, and does not hold them all (S19)."""

import os
import subprocess
from contextlib import contextmanager

import pytest
from PIL import Image

from support.fault_run import COMMAND, TERMINATED
from support.invariants import counts
from support.processes import peak, wait_until

LINKS = 50_000  # to one file; ext4 allows 65,000
pytestmark = pytest.mark.row("S19")


def fill(source, *, folders, files):
    """Make so many folders of so many pictures: links, which cost no data."""
    for number in range(folders * files):
        if number % LINKS == 0:
            original = source.parent / f"original-{number}.jpg"
            Image.new("RGB", (8, 8)).save(original)
        folder = source / f"{number // files:06}"
        if number % files == 0:
            folder.mkdir(parents=True)
        os.link(original, folder / f"{number % files:07}.jpg")
    return source


@contextmanager
def begun(source, destination):
    """Run until some images are done; give the process, and end it after the block."""
    line = [*COMMAND, "run", source, destination, "--durability", "none"]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: counts(destination).done > 0 or process.poll() is not None, seconds=200)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=120)


def test_of_thirty_thousand_files_the_first_is_done_before_the_last_is_found(tmp_path):
    with begun(fill(tmp_path / "in", folders=100, files=300), tmp_path / "out") as process:
        assert counts(tmp_path / "out").found < 30_000
        # Not ru_maxrss, which counts what the parent held when it forked: a test runner's memory.
        assert peak(process.pid) < 400 << 20


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
@pytest.mark.parametrize(
    ("folders", "files", "most"),
    [
        pytest.param(100_000, 2, 200_000_000, id="100,000 folders"),
        pytest.param(1, 1_000_000, 100_000_000, id="a million files in one folder"),  # sorted on disk, and named in parts
    ],
)
def test_a_run_begins_however_many_files_there_are(mounted, request, folders, files, most):
    place = mounted("-t", "tmpfs", "-o", "nr_inodes=0,size=4g", "none")
    with begun(fill(place / "in", folders=folders, files=files), place / "out") as process:
        held = peak(process.pid)
        assert counts(place / "out").found < folders * files
        assert held < most
    assert process.returncode == TERMINATED
    request.node.user_properties.append(("faults", {"injected": 1, "images": folders * files, "lost": 0}))
    request.node.user_properties.append(("figure", (f"coordinator memory in MB, {request.node.callspec.id}", held // 1_000_000)))
