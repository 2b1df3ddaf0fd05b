"""A ledger that an earlier version wrote is carried on with: nothing that was done is done again, and nothing is lost.

The archives in tests/fixtures/ledgers hold sources, outputs and state as the version before the first release wrote them (commit
877d005), with ``--size 8x8 --format jpeg``: a finished run, a run in two shards, and a run that was killed, its last transactions
still in the write-ahead log.
"""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ARCHIVES = Path(__file__).parents[1] / "fixtures" / "ledgers"


@pytest.fixture
def unpacked(tmp_path):
    """Return a function that unpacks one of the archives, and returns its folder with ``in`` and ``out``."""

    def unpack(name):
        with tarfile.open(ARCHIVES / f"{name}.tar.gz") as archive:
            archive.extractall(tmp_path, filter="fully_trusted")
        return tmp_path

    return unpack


def run(folder, *words):
    """Run the command of the archive again; return its counts. It ends with 1: one file is no picture."""
    words = ["run", folder / "in", folder / "out", "--size", "8x8", "--format", "jpeg", "--json", *words]
    ended = subprocess.run([sys.executable, "-m", "pixmill", *words], capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])["counts"]


def outputs(folder):
    return {path.relative_to(folder / "out"): path.stat().st_mtime_ns for path in (folder / "out").rglob("*.jpg")}


def test_a_finished_run_has_nothing_left_to_do(unpacked):
    folder = unpacked("plain")
    before = outputs(folder)
    assert run(folder) == {"found": 6, "done": 0, "skipped": 5, "failed": 1, "pending": 0}
    assert outputs(folder) == before


def test_the_shards_of_a_run_have_nothing_left_to_do(unpacked):
    folder = unpacked("sharded")
    before = outputs(folder)
    counts = [run(folder, "--shard", shard) for shard in ("1/2", "2/2")]
    assert sum(count["skipped"] for count in counts) == 6
    assert sum(count["done"] for count in counts) == 0
    assert outputs(folder) == before


def test_shards_are_carried_on_with_as_one(unpacked):
    folder = unpacked("sharded")
    before = outputs(folder)
    assert run(folder) == {"found": 7, "done": 0, "skipped": 6, "failed": 1, "pending": 0}
    assert outputs(folder) == before


def test_a_killed_run_goes_on_where_its_log_ends(unpacked):
    folder = unpacked("killed")
    before = outputs(folder)
    counts = run(folder)
    assert (counts["done"] + counts["skipped"], counts["failed"], counts["pending"]) == (40, 1, 0)
    assert counts["skipped"] >= len(before) - 2  # two workers may have written what their ledger had not heard of yet
    after = outputs(folder)
    assert len(after) == 40
    assert sum(after[path] == time for path, time in before.items()) >= counts["skipped"]


def test_the_configuration_of_the_run_is_read_whose_options_had_other_names(unpacked):
    folder = unpacked("plain")
    command = [sys.executable, "-m", "pixmill", "retry", folder / "out"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert "in does not exist" in ended.stderr  # the folder of its sources is not here: the whole configuration was read


@pytest.mark.parametrize("name", ["plain", "sharded"])
def test_what_can_be_pruned_is_listed_without_a_change_and_nothing_is_gone_with_its_source(unpacked, name):
    folder = unpacked(name)
    ledgers = sorted((folder / "out").rglob("ledger.sqlite"))
    before, made = [path.read_bytes() for path in ledgers], outputs(folder)
    command = [sys.executable, "-m", "pixmill", "prune", folder / "out", "--max-delete", "100%"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "may still exist" in listed.stdout
    assert [path.read_bytes() for path in ledgers] == before
    subprocess.run([*command, "--yes"], capture_output=True, check=True)
    assert outputs(folder) == made
