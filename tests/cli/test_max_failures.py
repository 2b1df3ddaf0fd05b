"""Runs that stop because too many images fail: when the first hundred all fail in one way, or as ``--max-failures`` says."""

import json
import re
import signal
import subprocess
import sys
from itertools import islice

import pytest
from PIL import Image

import pixmill as package
from pixmill.core.errors import RunError

DAMAGED = 1500  # many more than may be at work when a run stops


def fill(folder, *, damaged, good=0):
    """Make the damaged images first in the order of names."""
    folder.mkdir()
    for number in range(damaged):
        (folder / f"{number:04}.jpg").write_bytes(b"no image")
    for number in range(good):
        Image.new("RGB", (40, 30), (number % 256, 90, 60)).save(folder / f"{damaged + number:04}.jpg")
    return folder


@pytest.fixture
def hopeless(tmp_path):
    return fill(tmp_path / "in", damaged=DAMAGED)


def report_of(ended):
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.usefixtures("hopeless")
def test_a_run_whose_first_hundred_images_all_fail_in_one_way_stops(pixmill, tmp_path):
    ended = pixmill("run", "in", "out", "--json", "--progress", "none", "--report", "report.html")
    report = report_of(ended)
    assert ended.returncode == 3 == report["exit_code"]
    assert 100 <= report["counts"]["failed"] < DAMAGED
    assert report["reason"] == "the first 100 images all failed with the code not-an-image: the file is not an image"
    assert '"event":"run_ended"' in ended.stdout
    last, hint = ended.stderr.splitlines()[-2:]
    assert last == f"pixmill: {report['reason']}"
    assert "pixmill retry out" in hint
    assert "--max-failures 100%" in hint
    page = (tmp_path / "report.html").read_text()
    assert f"The last run ended early: {report['reason']}. " in re.sub(r"&#x27;", "'", page)
    assert report["reason"] in pixmill("status", "out").stdout + pixmill("status", "out", "--json").stdout


def test_the_remedies_work(pixmill, hopeless):
    stopped = report_of(pixmill("run", "in", "out", "--json"))["counts"]["failed"]
    for path in hopeless.iterdir():  # the cause is removed: as if the credentials were valid again
        Image.new("RGB", (40, 30)).save(path)
    assert pixmill("retry", "out").returncode == 0
    assert pixmill("run", "in", "out").returncode == 0  # those that the first run did not come to
    assert 100 <= stopped < DAMAGED
    assert json.loads(pixmill("status", "out", "--json").stdout)["done"] == DAMAGED


@pytest.mark.parametrize("option", ["100%", str(DAMAGED), "9999"])
@pytest.mark.usefixtures("hopeless")
def test_a_run_can_go_on_whatever_fails(pixmill, option):
    ended = pixmill("run", "in", "out", "--json", "--max-failures", option)
    assert (ended.returncode, report_of(ended)["counts"]["failed"]) == (1, DAMAGED)


@pytest.mark.usefixtures("hopeless")
def test_failures_of_an_earlier_run_do_not_stop_the_next(pixmill):
    assert pixmill("run", "in", "out").returncode == 3
    assert pixmill("run", "in", "out").returncode == 3  # another hundred
    assert pixmill("run", "in", "out", "--max-failures", "100%").returncode == 1
    again = pixmill("run", "in", "out", "--max-failures", "0", "--json")
    assert (again.returncode, report_of(again)["remembered"]) == (1, DAMAGED)
    assert pixmill("retry", "out").returncode == 1
    assert pixmill("retry", "out", "--max-failures", "3").returncode == 3


@pytest.mark.parametrize(("damaged", "good"), [(99, 0), (99, 300)])
def test_fewer_failures_stop_nothing(pixmill, tmp_path, damaged, good):
    fill(tmp_path / "in", damaged=damaged, good=good)
    ended = pixmill("run", "in", "out", "--json")
    assert (ended.returncode, report_of(ended)["counts"]["done"]) == (1, good)


@pytest.mark.parametrize(("option", "code"), [("5%", 3), ("9", 3), ("10", 1), ("20%", 1)])
def test_a_number_or_a_percentage_stops_a_run_that_can_be_resumed(pixmill, tmp_path, option, code):
    fill(tmp_path / "in", damaged=10, good=70)
    ended = pixmill("run", "in", "out", "--max-failures", option, "--json")
    assert ended.returncode == code, ended.stderr
    assert (f"more than --max-failures {option} allows" in report_of(ended)["reason"]) == (code == 3)
    resumed = report_of(pixmill("run", "in", "out", "--max-failures", "100%", "--json"))
    assert (resumed["exit_code"], resumed["counts"]["pending"], resumed["counts"]["failed"]) == (1, 0, 10)


def test_a_variable_a_file_and_python_set_it(pixmill, hopeless, tmp_path):
    (tmp_path / "job.toml").write_text("max_failures = 5\n")
    assert pixmill("run", "in", "a", "--config", "job.toml").returncode == 3
    assert pixmill("run", "in", "b", env={"PIXMILL_MAX_FAILURES": "100%"}).returncode == 1
    with pytest.raises(RunError, match="max_failures=7 allows") as stopped:
        package.run(hopeless, tmp_path / "c", max_failures=7, workers=1)
    assert (stopped.value.code, stopped.value.exit_code) == ("too-many-failures", 3)
    assert package.run(hopeless, tmp_path / "d", max_failures="100%", workers=1).counts.failed == DAMAGED


@pytest.mark.parametrize("value", ["-1", "5.5", "200%", "many"])
@pytest.mark.usefixtures("hopeless")
def test_another_value_is_refused(pixmill, value):
    ended = pixmill("run", "in", "out", f"--max-failures={value}")
    assert (ended.returncode, "such as 20, or a percentage such as 5%" in ended.stderr) == (2, True)


@pytest.mark.usefixtures("hopeless")
def test_a_watch_keeps_running_whatever_fails(pixmill, tmp_path, clean_environment):
    refused = pixmill("watch", "in", "out", "--max-failures", "5%")
    assert (refused.returncode, "a watch never stops because of failures" in refused.stderr) == (2, True)
    command = [sys.executable, "-m", "pixmill", "watch", "in", "out", "--settle", "0s", "--json"]
    environment = {**clean_environment, "PIXMILL_MAX_FAILURES": "5"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as watch:
        failed = (line for line in watch.stdout if b'"task_finished"' in line)
        assert len(list(islice(failed, DAMAGED))) == DAMAGED
        with pytest.raises(subprocess.TimeoutExpired):
            watch.wait(0.5)
        watch.send_signal(signal.SIGTERM)
        watch.stdout.read()
    assert watch.returncode == 0
