"""The engine's example, a program that has nothing to do with images, does what its first lines say."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "checksums.py"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("alpha")
    (folder / "deep" / "b.txt").write_text("beta")
    return folder


def checksums(folder):
    command = [sys.executable, EXAMPLE, folder, folder.parent / "ledger.sqlite"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    lines = (line.split("  ", 1) for line in result.stdout.splitlines())
    return {name: digest for digest, name in lines}, result.stderr.splitlines(), result.returncode


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_gets_its_checksum_once_and_again_when_it_changes(folder):
    a, b = folder / "a.txt", folder / "deep" / "b.txt"
    assert checksums(folder) == ({str(a): digest_of(a), str(b): digest_of(b)}, ["2 done, 0 unchanged, 0 failed"], 0)
    assert checksums(folder) == ({}, ["0 done, 2 unchanged, 0 failed"], 0)
    a.write_text("alpha and omega")
    assert checksums(folder) == ({str(a): digest_of(a)}, ["1 done, 1 unchanged, 0 failed"], 0)


def test_a_file_that_cannot_be_read_costs_no_other_anything(folder):
    (folder / "gone").symlink_to("/proc/self/mem")
    done, said, code = checksums(folder)
    assert len(done) == 2
    assert said[-1] == "2 done, 0 unchanged, 1 failed"
    assert said[0].startswith(f"{folder / 'gone'}: OSError: ")
    assert code == 1
