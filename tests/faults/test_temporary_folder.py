"""A folder for temporary files that is full, missing or read-only is no defect of pixmill: a sentence, and what to do."""

import os
import subprocess

import pytest
from tests.faults.conftest import fill

from support.fault_run import COMMAND

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
SAYS = "TMPDIR=/path/to/folder"


def run(*words, tmpdir, cwd, **streams):
    environment = {**os.environ, "TMPDIR": str(tmpdir)}
    return subprocess.run([*COMMAND, *words], cwd=cwd, env=environment, text=True, capture_output=True, check=False, **streams)


def told(ended):
    assert ended.returncode in (2, 3), ended.stderr
    assert "defect" not in ended.stderr
    assert SAYS in ended.stderr
    return ended.stderr


@pytest.fixture
def long_list(tmp_path):
    """A list of more rows than are sorted in memory."""
    path = tmp_path / "list.txt"
    with path.open("w") as file:
        file.writelines(f"in/{'x' * 200}/{number:08}.jpg\n" for number in range(120_000))
    return path


def test_a_list_that_finds_no_room_for_its_order_ends_with_a_sentence(long_list, mounted, tmp_path):
    full = mounted("-t", "tmpfs", "-o", "size=64k", "none")
    assert "No space left on device" in told(run("plan", long_list, "out", tmpdir=full, cwd=tmp_path))
    assert str(full) in told(run("run", long_list, "out", tmpdir=full, cwd=tmp_path))
    assert not list(full.iterdir())


@pytest.mark.parametrize("words", [("run", "{}", "/mnt/out", "--profile", "/mnt/p.json"), ("bench", "{}")], ids=["run", "bench"])
def test_where_no_folder_takes_temporary_files_there_is_a_sentence(tmp_path, words):
    fill(tmp_path / "in", 2, side=64)
    sealed = "for folder in /tmp /var/tmp; do mount --bind $folder $folder && mount -o remount,bind,ro $folder; done"
    script = f'{sealed}; mount -t tmpfs none /mnt && cd /proc && exec "$@"'
    line = ["unshare", "--mount", "sh", "-c", script, "sh", *COMMAND, *(word.format(tmp_path / "in") for word in words)]
    environment = {**os.environ, "TMPDIR": "/nowhere"}
    assert "No usable temporary directory" in told(
        subprocess.run(line, env=environment, text=True, capture_output=True, check=False)
    )


def test_a_folder_that_does_not_exist_is_not_missed_where_there_is_another(tmp_path):
    fill(tmp_path / "in", 2, side=64)
    ended = run("run", "in", "out", "--profile", "p.json", "--quiet", tmpdir=tmp_path / "nowhere", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
