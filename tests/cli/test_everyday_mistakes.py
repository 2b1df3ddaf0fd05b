"""Mistakes of everyday use: each is answered in a sentence, once, and nothing is made that nobody wants."""

import json
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

from support.processes import wait_until


@pytest.mark.parametrize(
    "line",
    [("run", "web.toml"), ("run", "web.toml", "out"), ("plan", "photos", "web.toml"), ("watch", "web.toml", "out")],
)
@pytest.mark.usefixtures("photos")
def test_a_file_of_options_is_no_source(pixmill, tmp_path, line):
    (tmp_path / "web.toml").write_text('size = "80x"\n')
    ended = pixmill(*line)
    assert ended.returncode == 2
    assert "web.toml is a TOML file, and no image\n  for a file with options: --config web.toml" in ended.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--memory", "1"], "memory: expected at least 100MB, received 1B"),
        (["--background", "transparent"], "background: JPEG has no transparency, received #00000000"),
        (["--background", "#ff880080", "--formats", "webp,jpg"], "background: JPEG has no transparency, received #ff880080"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_a_value_that_leads_to_nothing_good_is_refused(pixmill, tmp_path, words, message):
    ended = pixmill("run", "photos", "out", *words)
    assert (ended.returncode, message in ended.stderr) == (2, True), ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_transparent_background_is_fine_where_there_is_transparency(pixmill, photos):
    assert pixmill("run", photos, "out", "--background", "transparent", "--format", "png").returncode == 0


def test_the_remedy_of_a_stopped_run_is_printed_once(pixmill, photos):
    ended = pixmill("run", photos, "out", "--max-side", "50", "--max-failures", "0")
    assert (ended.returncode, ended.stderr.count("pixmill retry out --max-side 64")) == (3, 1), ended.stderr
    quiet = pixmill("run", photos, "out2", "--max-side", "50", "--max-failures", "0", "--quiet")
    assert quiet.stderr.count("pixmill retry out2 --max-side 64") == 1


def test_status_tells_a_run_that_is_working_from_one_that_was_killed(pixmill, photos, tmp_path, clean_environment):
    command = [sys.executable, "-m", "pixmill", "run", photos, tmp_path / "out", "--max-rate", "30/m", "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path, env=clean_environment) as run, ExitStack() as killing:
        killing.callback(run.kill)
        wait_until(lambda: any((tmp_path / "out").glob("*.jpg")))
        live, record = pixmill("status", "out").stdout, json.loads(pixmill("status", "out", "--json").stdout)
    killed = pixmill("status", "out")
    assert "(found so far, and to be done by the run that is working now)" in live
    assert live.endswith("running now\n")
    assert record["running"] is True
    assert "(left for the next run)" in killed.stdout
    assert "killed\nnote     the last run was interrupted: images that it did not reach" in killed.stdout
    pixmill("run", photos, "out")
    whole = pixmill("status", "out")
    assert "interrupted" not in live + whole.stdout
    assert [each["complete"] for each in (record, json.loads(pixmill("status", "out", "--json").stdout))] == [False, True]


def test_a_watch_ends_with_what_it_did_and_not_with_how_long_it_waited(photos, tmp_path, clean_environment):
    command = [sys.executable, "-m", "pixmill", "watch", photos, tmp_path / "out"]
    with (
        subprocess.Popen(command, cwd=tmp_path, env=clean_environment, stderr=subprocess.PIPE, text=True) as watch,
        ExitStack() as killing,
    ):
        killing.callback(watch.kill)
        wait_until(lambda: len(list((tmp_path / "out").glob("*.jpg"))) == 4)
        watch.send_signal(signal.SIGINT)
        said = watch.communicate(timeout=60)[1].splitlines()
    assert said[-1] == "To go on watching, run the same command again."
    assert "found     4 images" in said
    assert not [line for line in said if line.startswith(("time ", "spent ", "slowest "))]
