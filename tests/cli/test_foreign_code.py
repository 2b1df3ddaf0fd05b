"""A ledger is data: no command runs code that only a ledger names."""

import json
import os
import pty
import sqlite3
import subprocess
from contextlib import closing

import pytest
from tests.cli.conftest import COMMAND

STEP = "python:function=evil.py:step"


@pytest.fixture
def marker(tmp_path):
    """The file that the code would leave, and the code."""
    marker = tmp_path / "marker"
    (tmp_path / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()\n\ndef step(image):\n    return image\n")
    return marker


@pytest.fixture
def edited(pixmill, photos, tmp_path, marker):
    """An output whose ledger says that its last run had a step that it did not have."""
    (photos / "bad.jpg").write_bytes(b"no picture")
    assert pixmill("run", photos, "out", "--quiet").returncode == 1
    edit(tmp_path / "out", lambda asked: asked["recipe"]["steps"].append({"operation": "python", "function": "evil.py:step"}))
    return marker


def edit(out, change):
    with closing(sqlite3.connect(out / ".pixmill" / "ledger.sqlite")) as ledger:
        ((about,),) = ledger.execute("SELECT about FROM run")
        asked = json.loads(about)
        change(asked)
        ledger.execute("UPDATE run SET about = ?", (json.dumps(asked).encode(),))
        ledger.commit()


@pytest.mark.parametrize(
    "line",
    [
        ("status", "out"), ("status", "out", "--json"), ("failures", "out"), ("verify", "out"), ("report", "out"),
        ("report", "out", "--quality-check", "4"), ("retry", "out"), ("retry", "out", "--step", "grayscale"),
        ("retry", "out", "--step", "python:function=other.py:step"), ("run", "photos", "out"), ("plan", "photos", "out"),
        ("run", "photos", "out", "--report", "r.html", "--quality-check", "4"), ("run", "photos", "out", "--index", "i.jsonl"),
        ("watch", "photos", "out", "--health"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_runs_code_that_only_the_ledger_names(pixmill, edited, line):
    ended = pixmill(*line)
    assert "defect" not in ended.stderr
    assert not edited.exists()


def test_a_retry_refuses_and_gives_the_command_to_type(pixmill, edited):
    failed = pixmill("failures", "out").stdout
    ended = pixmill("retry", "out", "--quiet")
    assert ended.returncode == 2
    assert f"pixmill retry out --quiet --step {STEP}" in ended.stderr
    assert pixmill("failures", "out").stdout == failed, "nothing has been forgotten"
    assert pixmill("retry", "out", "--step", STEP).returncode == 1
    assert edited.exists()


def test_a_step_in_a_rendition_counts_too(pixmill, edited, tmp_path):
    def move(asked):
        asked["recipe"]["renditions"][0]["steps"] = [asked["recipe"]["steps"].pop()]

    edit(tmp_path / "out", move)
    assert pixmill("retry", "out").returncode == 2
    assert not edited.exists()


def test_a_ledger_of_shards_is_asked_shard_by_shard(pixmill, photos, tmp_path, marker):
    (photos / "bad.jpg").write_bytes(b"no picture")
    for shard in ("1/2", "2/2"):
        pixmill("run", photos, "out", "--shard", shard)
    with closing(sqlite3.connect(tmp_path / "out" / ".pixmill" / "shard-1-of-2" / "ledger.sqlite")) as ledger:
        ((about,),) = ledger.execute("SELECT about FROM run")
        asked = json.loads(about)
        asked["recipe"]["steps"] = [{"operation": "python", "function": "evil.py:step"}]
        ledger.execute("UPDATE run SET about = ?", (json.dumps(asked).encode(),))
        ledger.commit()
    assert pixmill("retry", "out").returncode == 2
    assert not marker.exists()


def test_a_report_measures_without_the_code_nothing_and_says_so(pixmill, edited, tmp_path):
    ended = pixmill("report", "out", "--quality-check", "4", "-o", "r.html")
    assert ended.returncode == 0
    assert f"--step {STEP}" in ended.stderr
    assert "Lowest similarity" not in (tmp_path / "r.html").read_text()
    ended = pixmill("report", "out", "--quality-check", "4", "-o", "r.html", "--step", STEP)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Lowest similarity" in (tmp_path / "r.html").read_text()
    assert edited.exists()


def test_a_cluster_that_only_the_ledger_names_is_not_asked_for_results(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    pixmill("run", photos, "out")
    edit(tmp_path / "out", lambda asked: asked.update(executor="dask", address="tcp://192.0.2.1:8786"))
    ended = pixmill("retry", "out")
    assert ended.returncode == 2
    assert "pixmill retry out --address tcp://192.0.2.1:8786" in ended.stderr


@pytest.mark.usefixtures("edited")
def test_a_configuration_that_cannot_be_read_is_refused_in_words(pixmill, tmp_path):
    with closing(sqlite3.connect(tmp_path / "out" / ".pixmill" / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE run SET about = ?", (b"{",))
        ledger.commit()
    for line in (("retry", "out"), ("verify", "out")):
        ended = pixmill(*line)
        assert ended.returncode == 2
        assert "cannot be read" in ended.stderr


@pytest.mark.parametrize(("answer", "code", "runs"), [(b"y\n", 1, True), (b"\n", 2, False), (b"\x04", 2, False)])
def test_somebody_at_a_terminal_is_asked(edited, tmp_path, clean_environment, answer, code, runs):
    mine, theirs = pty.openpty()
    line = [*COMMAND, "retry", "out", "--quiet"]
    process = subprocess.Popen(line, stdin=theirs, stderr=subprocess.PIPE, cwd=tmp_path, env=clean_environment)
    os.write(mine, answer)
    _, said = process.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    assert STEP.encode() in said
    assert process.returncode == code
    assert edited.exists() == runs
