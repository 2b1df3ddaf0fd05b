"""Datasets in a bucket: the shards of a folder, kills, and another machine that goes on."""

import itertools
import os
import signal
import subprocess

import pytest

from pixmill.storage.open import open_storage
from support.fault_run import COMMAND
from support.invariants import outputs
from support.processes import wait_until

WORDS = ("--size", "100x100", "--shard-samples", "7", "--workers", "2", "--progress", "plain")
numbers = itertools.count()


@pytest.fixture
def place(s3):
    return f"s3://{s3}/datasets/{next(numbers)}"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the command on a machine of this name, which has a state of its own."""

    def run(machine, *line, code=0):
        process = start(machine, *line)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, err
        return out + err

    def start(machine, *line):
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / machine)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*COMMAND, *line], env=environment, start_new_session=True, text=True, **pipes)

    run.start = start
    return run


def files(place):
    storage = open_storage(place)
    entries = [entry for listing in storage.list(descend=lambda _: False) for entry in listing]
    return {os.fsdecode(entry.path): storage.read(entry.path, limit=1 << 24) for entry in entries}


def test_a_dataset_in_a_bucket_is_that_of_a_folder_for_every_machine(run, place, gallery, tmp_path):
    source, dataset = gallery(20), f"tar://{place}"
    run("here", "run", source, f"tar://{tmp_path}/folder", *WORDS)
    run("here", "run", source, dataset, *WORDS)
    assert files(place) == outputs(tmp_path / "folder")
    assert "skipped   20 images" in run("here", "run", source, dataset, *WORDS)
    assert "match the ledger" in run("there", "verify", dataset)
    assert "skipped   20 images" in run("there", "run", source, dataset, *WORDS)
    # the second machine packs anew, from what the first has sealed; and the first goes on with that
    assert "skipped   20 images" in run("there", "run", source, dataset, *WORDS, "--shard-samples", "9")
    assert len(files(place)) == 3 + 2
    assert "match the ledger" in run("here", "verify", dataset)
    assert "skipped   20 images" in run("here", "run", source, dataset, *WORDS)
    assert files(place) == outputs(tmp_path / "folder")


def test_a_run_that_is_killed_while_it_seals_into_a_bucket_goes_on(run, place, gallery, tmp_path):
    source, dataset = gallery(20), f"tar://{place}"
    run("here", "run", source, f"tar://{tmp_path}/folder", *WORDS)
    for seen in (1, 2):
        process = run.start("here", "run", source, dataset, *WORDS)
        wait_until(lambda seen=seen: len(files(place)) >= seen, seconds=120)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    again = run("here", "run", source, dataset, *WORDS)
    assert "skipped   20 images" in again
    assert files(place) == outputs(tmp_path / "folder")
