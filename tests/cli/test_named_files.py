"""Files named by options are written if they are new, empty or pixmill's own; any other file is never overwritten."""

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import COMMAND

OPTIONS = ["--index", "--report", "--events", "--log-file", "--metrics-file", "--profile"]
EVERY = ["--index", "i.jsonl", "--report", "r.html", "--events", "e.jsonl", "--log-file", "l.log", "--metrics-file", "m.json",
         "--profile", "p.json"]  # fmt: skip


@pytest.fixture
def unchanged():
    """Return a function that declares files whose bytes must be unchanged at the end of the test."""
    before = {}

    def keep(*paths):
        before.update({path: hashlib.sha256(path.read_bytes()).digest() for path in paths})

    yield keep
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in before} == before


def refused(ended, option, name):
    assert ended.returncode == 2, ended.stderr
    assert option in ended.stderr
    assert name in ended.stderr
    return ended.stderr


@pytest.mark.parametrize("option", OPTIONS)
def test_neither_a_source_nor_a_foreign_file_is_written_over(pixmill, photos, tmp_path, unchanged, option):
    unchanged(photos / "p0.jpg")
    refused(pixmill("run", photos, "out", option, "photos/p0.jpg"), option, "photos/p0.jpg")
    assert not (tmp_path / "out").exists(), "nothing has run"


@pytest.mark.usefixtures("photos")
def test_a_list_on_standard_input_is_not_written_over(tmp_path, clean_environment):
    (tmp_path / "list.txt").write_text("photos/p0.jpg\n")
    with (tmp_path / "list.txt").open() as listed:
        ended = subprocess.run(
            [*COMMAND, "run", "-", "out", "--events", "list.txt"],
            stdin=listed,
            check=False,
            cwd=tmp_path,
            env=clean_environment,
            capture_output=True,
        )
    assert ended.returncode == 2
    assert (tmp_path / "list.txt").read_text() == "photos/p0.jpg\n"


def test_src_the_state_and_a_file_of_another_option_are_refused(pixmill, photos, tmp_path, unchanged):
    (tmp_path / "list.txt").write_text("photos/p0.jpg\n")
    unchanged(tmp_path / "list.txt")
    assert "inputs are never changed" in refused(pixmill("run", "list.txt", "out", "--events", "list.txt"), "--events", "list.txt")
    (tmp_path / "state").mkdir()
    for name in ("out/.pixmill/lock", "state/ledger.sqlite"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        refused(pixmill("run", photos, "out", "--state", "state", "--index", name), "--index", name)
    assert "--index" in refused(pixmill("run", photos, "out", "--index", "new", "--events", "./new"), "--events", "new")


def test_what_pixmill_wrote_it_writes_again_and_appends_to(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    for metrics in ("m.json", "m.prom"):
        words = [metrics if word == "m.json" else word for word in EVERY]
        for _ in range(2):
            assert pixmill("run", photos, "out", "--force", *words).returncode == 1
            assert pixmill("retry", "out", *words[2:]).returncode == 1
    assert len((tmp_path / "l.log").read_text().splitlines()) == 8
    assert pixmill("run", photos, "out", "--log-file", "l.json").returncode == 1
    assert pixmill("run", photos, "out", "--log-file", "l.json").returncode == 1
    assert pixmill("report", "out", "-o", "r.html").returncode == 0


def test_devices_and_pipes_are_written_to(pixmill, photos, tmp_path):
    device = Path("/dev/null")
    if os.geteuid() == 0:  # who could replace that of the machine takes one of his own
        device = tmp_path / "null"
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    devices = [word for option in OPTIONS for word in (option, str(device))]
    assert pixmill("run", photos, "out", *devices).returncode == 0
    assert stat.S_ISCHR(device.stat().st_mode)
    ended = pixmill("run", photos, "out", "--events", "/dev/stderr", "--quiet")
    assert ended.stderr.startswith('{"event":"run_started"')
    assert pixmill("run", photos, "out", "--index", "/dev/stdout", "--quiet").stdout.startswith('{"source":"p0.jpg"')


def test_the_file_behind_a_link_is_written_and_the_link_stays(pixmill, photos, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/index.jsonl")
    for _ in range(2):
        assert pixmill("run", photos, "out", "--index", "link").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "index.jsonl").read_text().startswith('{"source":')


def test_a_report_and_a_retry_and_a_watch_are_as_careful(pixmill, photos, unchanged):
    (photos / "bad.jpg").write_bytes(b"no picture")
    pixmill("run", photos, "out")
    unchanged(photos / "p0.jpg")
    failed = pixmill("failures", "out").stdout
    refused(pixmill("report", "out", "-o", "photos/p0.jpg"), "-o", "p0.jpg")
    refused(pixmill("report", "out", "-o", "out/.pixmill/ledger.sqlite"), "-o", "ledger.sqlite")
    refused(pixmill("retry", "out", "--events", "photos/p0.jpg"), "--events", "p0.jpg")
    assert pixmill("failures", "out").stdout == failed
    refused(pixmill("watch", photos, "out", "--metrics-file", "photos/p0.jpg"), "--metrics-file", "p0.jpg")
    assert pixmill("report", "out", "-o", "out/.pixmill/report.html").returncode == 0


def test_a_file_that_came_while_the_run_was_going_on_is_left_alone(pixmill, photos, tmp_path):
    (tmp_path / "step.py").write_text(
        "from pathlib import Path\n\ndef step(image):\n    Path('i.jsonl').write_text('mine')\n    return image\n"
    )
    ended = pixmill("run", photos, "out", "--index", "i.jsonl", "--step", "python:function=step.py:step")
    assert ended.returncode == 3
    assert "--index" in ended.stderr
    assert (tmp_path / "i.jsonl").read_text() == "mine"
