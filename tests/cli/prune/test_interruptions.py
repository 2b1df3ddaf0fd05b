"""``pixmill prune`` while a run is working, and killed at any moment."""

import itertools
import shutil
import signal
import subprocess
import sys
import time

from support.invariants import outputs
from support.pruning import prune, run

GATE = """
import time
from pathlib import Path


def wait(image):
    Path("began").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    return image
"""


def test_while_a_run_is_working_it_can_be_listed_but_not_pruned(pixmill, album, out, tmp_path, clean_environment):
    (tmp_path / "gate.py").write_text(GATE)
    (album / "p00.png").unlink()
    line = [sys.executable, "-m", "pixmill", "run", album, out, "--step", "python:function=gate.py:wait", "--quiet"]
    with subprocess.Popen(line, cwd=tmp_path, env=clean_environment):
        try:
            while not (tmp_path / "began").exists():
                time.sleep(0.01)
            assert prune(pixmill, out)["files"] == 1
            refused = pixmill("prune", out, "--yes")
            assert refused.returncode == 3
            assert "another run is writing" in refused.stderr
        finally:
            (tmp_path / "go").touch()
    assert (out / "p00.jpg").exists()


#: prunes "out", and kills itself before the call number argv[1] that removes a file, removes a folder or changes the ledger
KILLED = """
import os, signal, sqlite3, sys
import pixmill

left, connect, unlink, rmdir = int(sys.argv[1]), sqlite3.connect, os.unlink, os.rmdir

def counted(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

class Counting(sqlite3.Connection):
    def execute(self, statement, *arguments):
        act = super().execute
        return (act if statement.startswith(("SELECT", "PRAGMA")) else counted(act))(statement, *arguments)

    def executemany(self, *arguments):
        return counted(super().executemany)(*arguments)

sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Counting, **options)
os.unlink, os.rmdir = counted(unlink), counted(rmdir)
pixmill.prune("out", yes=True, max_delete="100%")
"""


def test_a_kill_at_any_moment_loses_nothing_else(pixmill, album, tmp_path, clean_environment):
    run(pixmill, album, "all", "--sizes", "8,16,32")
    run(pixmill, album, "all", "--sizes", "16,32")
    shutil.rmtree(album / "trip" / "day 1")
    (album / "p00.png").unlink()
    shutil.copytree(tmp_path / "all", tmp_path / "done")
    prune(pixmill, "done", "--yes", "--max-delete", "100%")
    wanted = outputs(tmp_path / "done")
    assert len(wanted) == 7 * 2
    for calls in itertools.count(step=3):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        shutil.copytree(tmp_path / "all", tmp_path / "out")
        line = [sys.executable, "-c", KILLED, str(calls)]
        code = subprocess.run(line, cwd=tmp_path, env=clean_environment, check=False).returncode
        assert outputs(tmp_path / "out").items() >= wanted.items()
        prune(pixmill, "out", "--yes", "--max-delete", "100%")
        assert outputs(tmp_path / "out") == wanted
        assert pixmill("verify", "out").returncode == 0
        assert "done     7 images" in pixmill("status", "out").stdout
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert calls > 30
