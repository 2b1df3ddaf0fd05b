"""``pixmill watch`` as a service: what it refuses, its health check and report, changed settings, and runs before and after it."""

import json
import signal
import subprocess
import sys

import pytest
from tests.cli.conftest import write_picture

from support.pictures import size_of
from support.processes import wait_until
from support.watching import DEADLINE


def test_a_run_and_a_watch_go_on_where_the_other_was(watch, tmp_path):
    write_picture(tmp_path / "in" / "a.jpg")
    run = (sys.executable, "-m", "pixmill", "run", "in", "out", "--json", "--quiet")
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    made = (tmp_path / "out" / "a.jpg").stat()
    watcher = watch()
    assert watcher.wait_until_finished("a.jpg")["outcome"] == "skipped"
    write_picture(tmp_path / "in" / "b.jpg")
    watcher.wait_until_finished("b.jpg")
    assert watcher.stop() == 0
    report = json.loads(subprocess.run(run, cwd=tmp_path, check=True, capture_output=True).stdout.splitlines()[-1])
    assert (report["counts"]["done"], report["counts"]["skipped"]) == (0, 2)
    assert ((tmp_path / "out" / "a.jpg").stat().st_ino, (tmp_path / "out" / "a.jpg").stat().st_mtime_ns) == (
        made.st_ino,
        made.st_mtime_ns,
    )


def test_a_changed_recipe_counts_and_a_broken_one_does_not(watch, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[[steps]]\noperation = "resize"\nwidth = 32\nheight = 32\n')
    write_picture(tmp_path / "in" / "a.jpg")
    watcher = watch("--recipe", "recipe.toml")
    watcher.wait_until_finished("a.jpg")
    assert size_of(tmp_path / "out" / "a.jpg") == (32, 24)
    recipe.write_text('[[steps]]\noperation = "resiez"\n')
    refused = watcher.wait_for(lambda events: events[-1]["event"] == "settings_refused")[-1]
    assert "recipe.toml" in refused["message"]
    assert "resize" in refused["message"]
    recipe.write_text('[[steps]]\noperation = "resize"\nwidth = 16\nheight = 16\n')
    watcher.wait_until_finished("a.jpg", times=2)
    assert size_of(tmp_path / "out" / "a.jpg") == (16, 12)
    assert watcher.stop() == 0


def test_the_health_check_tells_life_from_death(watch, tmp_path, pixmill):
    (tmp_path / "out").mkdir()
    ask = ("watch", "in", "out", "--health")
    assert pixmill(*ask).returncode == 3
    watcher = watch()
    watcher.wait_until_idle()
    assert pixmill(*ask).returncode == 0
    watcher.process.send_signal(signal.SIGSTOP)
    answer = pixmill(*ask)
    watcher.process.send_signal(signal.SIGCONT)
    assert answer.returncode == 3
    assert f"process {watcher.process.pid} is stopped or dead" in answer.stderr
    assert watcher.stop() == 0
    assert pixmill(*ask).returncode == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--mirror", "--move-done", "done"), "mirror"),
        (("--move-done", "."), "contains SRC"),
        (("--settle", "soon"), "a duration such as 30s"),
    ],
)
def test_what_cannot_work_is_refused_at_once(pixmill, tmp_path, options, message):
    (tmp_path / "in").mkdir()
    answer = pixmill("watch", "in", "out", *options)
    assert answer.returncode == 2
    assert message in answer.stderr
    assert not (tmp_path / "out").exists()


def test_one_file_cannot_be_watched(pixmill, tmp_path):
    write_picture(tmp_path / "in" / "a.jpg")
    answer = pixmill("watch", "in/a.jpg", "out")
    assert (answer.returncode, "only local folders can be watched" in answer.stderr) == (2, True)


def test_the_report_is_written_when_it_has_caught_up_and_again_at_the_end(watch, tmp_path):
    write_picture(tmp_path / "in" / "before.jpg")
    watcher = watch("--report", "page.html")
    wait_until((tmp_path / "page.html").exists, seconds=DEADLINE)
    write_picture(tmp_path / "in" / "after.jpg", shade=20)
    watcher.wait_until_finished("after.jpg")
    assert watcher.stop() == 0
    assert '<dd data-value="done">2</dd>' in (tmp_path / "page.html").read_text()
    assert not list(tmp_path.glob(".page.html*"))
