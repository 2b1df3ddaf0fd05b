"""``plan`` says what ``run`` would do, whatever ledgers there are, and commands that read leave nothing behind."""

import json
import re
import shutil
import subprocess
import sys

import pytest


def numbers(pixmill, *words):
    planned = json.loads(pixmill("plan", *words, "--json").stdout)
    return planned["to_do"], planned["unchanged"]


@pytest.mark.parametrize(
    ("before", "then", "expected"),
    [
        (["1/2", "2/2"], None, (0, 4)),
        (["1/2"], None, None),
        ([None], "1/2", None),
        (["1/3", "2/3", "3/3"], "2/2", None),
        ([None, "1/2"], None, (0, 4)),
    ],
)
def test_plan_says_what_a_run_of_another_split_does(pixmill, photos, before, then, expected):
    def split(shard):
        return ("--shard", shard) if shard else ()

    for shard in before:
        assert pixmill("run", photos, "out", *split(shard)).returncode == 0
    planned = numbers(pixmill, photos, "out", *split(then))
    assert expected in (None, planned)
    report = json.loads(pixmill("run", photos, "out", *split(then), "--json").stdout.splitlines()[-1])
    assert (report["counts"]["done"], report["counts"]["skipped"]) == planned
    assert numbers(pixmill, photos, "out", *split(then)) == (0, sum(planned))


READING = [("plan", "photos", "out"), ("status", "out"), ("failures", "out"), ("verify", "out"), ("report", "out", "-o", "r.html")]


def state_files(tmp_path):
    return {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}


@pytest.mark.parametrize("line", READING, ids=lambda line: line[0])
def test_commands_that_read_leave_everything_as_it_was(pixmill, photos, tmp_path, line):
    assert pixmill("run", photos, "out", "--shard", "1/2").returncode == 0
    assert pixmill("run", photos, "out", "--shard", "2/2").returncode == 0
    before = state_files(tmp_path)
    assert pixmill(*line).returncode == 0
    assert state_files(tmp_path) == before


def test_the_changes_of_a_run_that_was_killed_stay_where_they_are(pixmill, photos, tmp_path):
    assert pixmill("run", photos, "out").returncode == 0
    ledger = tmp_path / "out" / ".pixmill" / "ledger.sqlite"
    killed = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('UPDATE task SET state = 0 WHERE key = ?', (b'p1.jpg',)); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, ledger], check=False)
    assert ledger.with_name("ledger.sqlite-wal").stat().st_size
    before = ledger.read_bytes(), ledger.with_name("ledger.sqlite-wal").read_bytes()
    assert "pending  1 image" in pixmill("status", "out").stdout
    assert (ledger.read_bytes(), ledger.with_name("ledger.sqlite-wal").read_bytes()) == before


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace counts the syncs")
def test_without_durability_hardly_anything_is_synced(photos, tmp_path, clean_environment):
    syncs = {}
    for durability in ("none", "full"):
        trace = tmp_path / f"{durability}.trace"
        line = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync", sys.executable, "-m", "pixmill"]
        words = ["run", photos, durability, "--durability", durability, "--quiet", "--format", "png"]
        subprocess.run([*line, *words], cwd=tmp_path, check=True, env=clean_environment)
        syncs[durability] = len(re.findall(r"sync\(", trace.read_text()))
    assert syncs["none"] < syncs["full"] / 2
