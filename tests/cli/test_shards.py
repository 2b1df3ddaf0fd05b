"""One output in several shards, each a process with its own ledger; commands report on them as one run."""

import json
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from PIL import Image

from support.invariants import check_complete, identities, outputs, temporaries
from support.processes import is_alive, wait_until

GATE = """
import os
import time
from pathlib import Path


def wait(image):
    Path("began", str(os.getpid())).write_text(os.environ.get("PIXMILL_SHARD", ""))
    while not Path("go").exists():
        time.sleep(0.01)
    return image
"""
SHARDS = ("1/4", "2/4", "3/4", "4/4")


@pytest.fixture
def many(tmp_path):
    folder = tmp_path / "many"
    for number in range(40):
        (folder / f"{number % 3}").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (6 * number, 90, 60)).save(folder / f"{number % 3}" / f"p{number}.jpg")
    (folder / "bad.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture
def gate(tmp_path):
    """A step that holds each worker at its first picture until the file ``go`` is there."""
    (tmp_path / "gate.py").write_text(GATE)
    (tmp_path / "began").mkdir()
    return tmp_path / "go"


@pytest.fixture
def start(many, tmp_path, clean_environment):
    """Return a function that starts a run of ``many`` in the background; whatever happens it is gone afterwards."""
    with ExitStack() as stack:

        def start(*words, env=None):
            line = [sys.executable, "-m", "pixmill", "run", many, "out", "--workers", "1", "--step", "python:function=gate.py:wait"]
            process = subprocess.Popen(
                [*line, "--quiet", *words], cwd=tmp_path, env={**clean_environment, **(env or {})}, stderr=subprocess.DEVNULL
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def status_of(pixmill, *words):
    (record,) = map(json.loads, pixmill("status", "out", "--json", *words).stdout.splitlines())
    return record


def workers(folder):
    """Return the worker of each shard that has begun a picture."""
    return {path.read_text(): int(path.name) for path in (folder / "began").iterdir()}


def conditions(status):
    return {each["shard"]: each["condition"] for each in status["shards"]}


def test_four_shards_at_once_one_of_them_killed_are_resumed_to_the_tree_of_a_whole_run(pixmill, start, gate, tmp_path):
    runs = {shard: start(env={"PIXMILL_SHARD": shard}) for shard in SHARDS}
    wait_until(lambda: workers(tmp_path).keys() == runs.keys(), seconds=120)
    assert conditions(status_of(pixmill)) == dict.fromkeys(SHARDS, "running")
    runs["2/4"].kill()
    runs["2/4"].wait(120)
    wait_until(lambda: not is_alive(workers(tmp_path)["2/4"]))  # it dies a moment after its coordinator
    gate.touch()
    assert sorted(runs[shard].wait(120) for shard in SHARDS) == [-9, 0, 0, 1]

    status = status_of(pixmill)
    assert conditions(status) == {**dict.fromkeys(SHARDS, "finished"), "2/4": "killed"}
    done = len(list((tmp_path / "out").glob("*/*.jpg")))
    assert (status["done"], status["failed"]) == (done, 1)
    assert status["done"] == sum(each["done"] for each in status["shards"])
    assert "  killed: 2/4" in pixmill("status", "out").stdout.splitlines()
    finished = identities(tmp_path / "out")

    assert start("--shard", "2/4").wait(120) == 0
    status = status_of(pixmill)
    assert (status["done"], status["failed"], status["pending"]) == (40, 1, 0)
    assert set(conditions(status).values()) == {"finished"}
    assert finished.items() <= identities(tmp_path / "out").items()
    pixmill("run", "many", "whole", "--workers", "1", "--step", "python:function=gate.py:wait")
    check_complete(tmp_path / "out", outputs(tmp_path / "whole"))
    assert temporaries(tmp_path / "out") == []
    assert [json.loads(line)["path"] for line in pixmill("failures", "out", "--json").stdout.splitlines()] == ["bad.jpg"]
    assert "the outputs of 40 images match the ledger" in pixmill("verify", "out").stderr


def test_a_shard_with_another_recipe_is_refused_while_others_run_and_named_by_status_when_they_do_not(
    pixmill, start, gate, tmp_path
):
    first = start("--shard", "1/2")
    wait_until(lambda: workers(tmp_path), seconds=120)
    step = ("--step", "python:function=gate.py:wait")
    refused = pixmill("run", "many", "out", "--shard", "2/2", "--size", "20x20", *step)
    assert refused.returncode == 2
    assert "shard 1/2 of this output is being run with another recipe (process " in refused.stderr
    assert not (tmp_path / "out" / ".pixmill" / "shard-2-of-2" / "ledger.sqlite").exists()
    gate.touch()
    assert pixmill("run", "many", "out", "--shard", "2/2", "--quiet", *step).returncode in (0, 1)
    assert first.wait(120) in (0, 1)
    assert not any(each["other_recipe"] for each in status_of(pixmill)["shards"])
    assert pixmill("run", "many", "out", "--shard", "2/2", "--size", "20x20", "--quiet", *step).returncode in (0, 1)
    assert [each["shard"] for each in status_of(pixmill)["shards"] if each["other_recipe"]] == ["1/2"]
    assert "  of another recipe than the last run, so run them again: 1/2" in pixmill("status", "out").stdout.splitlines()


def samples(text):
    """Return the value of each sample in Prometheus' text format."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}


def test_the_metrics_of_status_add_all_shards_and_tell_which_was_killed(pixmill, start, gate, tmp_path):
    runs = {shard: start("--shard", shard, "--metrics-file", f"{shard[0]}.prom") for shard in ("1/3", "2/3")}
    wait_until(lambda: len(list((tmp_path / "began").iterdir())) == 2, seconds=120)
    runs["2/3"].kill()
    runs["2/3"].wait(120)
    killed_at = time.time()
    gate.touch()
    assert runs["1/3"].wait(120) in (0, 1)
    text = pixmill("status", "out", "--metrics").stdout
    found, told = samples(text), status_of(pixmill)
    for state in ("done", "failed", "pending"):
        total = found[f'pixmill_ledger_images{{state="{state}"}}']
        parts = [found[f'pixmill_shard_images{{shard="{shard}",state="{state}"}}'] for shard in ("1/3", "2/3", "3/3")]
        assert total == sum(parts) == told[state]
    assert told["done"] > 0
    conditions_found = {shard: condition for shard, condition, value in condition_samples(found) if value}
    assert conditions_found == {"1/3": "finished", "2/3": "killed", "3/3": "not_begun"}
    assert [found[f'pixmill_shards{{condition="{each}"}}'] for each in ("finished", "killed", "running")] == [1, 1, 0]
    active = {
        name.split('"')[1]: value
        for name, value in found.items()
        if name.startswith("pixmill_shard_last_activity_timestamp_seconds")
    }
    assert active.keys() == {"1/3", "2/3"}
    assert active["2/3"] <= killed_at <= active["1/3"]
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "metrics"], input=text, text=True, check=True)
    assert pixmill("status", "out", "--metrics", "--json").returncode == 2


def condition_samples(found):
    for name, value in found.items():
        if name.startswith("pixmill_shard_condition{"):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', name))
            yield labels["shard"], labels["condition"], value


def test_shards_that_have_not_begun_are_named(pixmill, many):
    assert pixmill("run", many, "out", "--shard", "3/4", "--quiet").returncode in (0, 1)
    assert pixmill("status", "out").stdout.splitlines()[3:] == [
        "shards   4 parts: 1 finished, 3 not begun",
        "  not begun: 1/4, 2/4, 4/4",
    ]


def test_retry_tries_the_failures_of_every_shard_where_its_state_is(pixmill, many, tmp_path):
    (many / "worse.jpg").write_bytes(b"no picture either")
    for shard in ("1/2", "2/2"):
        pixmill("run", many, "out", "--shard", shard, "--state", "state", "--quiet")
    assert status_of(pixmill, "--state", "state")["failed"] == 2
    Image.new("RGB", (30, 20)).save(many / "bad.jpg")
    Image.new("RGB", (30, 20)).save(many / "worse.jpg")
    (tmp_path / "elsewhere").mkdir()
    retried = pixmill("retry", "../out", "--state", "../state", cwd=tmp_path / "elsewhere")
    assert retried.returncode == 0, retried.stderr
    assert "retrying 2 failed images" in retried.stderr
    assert (tmp_path / "out" / "bad.jpg").exists()
    assert not (tmp_path / "out" / ".pixmill" / "shard-1-of-2").exists()
    status = status_of(pixmill, "--state", "state")
    assert (status["done"], status["failed"], status["pending"]) == (42, 0, 0)
    assert [json.loads(line) for line in pixmill("failures", "out", "--state", "state", "--json").stdout.splitlines()] == []


def test_another_number_of_shards_goes_on_with_what_is_known_and_says_so(pixmill, many):
    pixmill("run", many, "out", "--quiet")
    ended = pixmill("run", many, "out", "--shard", "1/2", "--json")
    assert "shard 1/2 continues with" in ended.stderr
    assert "recorded by the unsplit run" in ended.stderr
    report = json.loads(ended.stdout.splitlines()[-1])
    assert report["counts"]["done"] == 0
    assert report["counts"]["skipped"] > 0


def test_what_a_shard_of_another_split_left_half_written_is_removed(pixmill, many, tmp_path):
    (tmp_path / "out").mkdir()
    left = tmp_path / "out" / ".pixmill-3of4-99-3.tmp"
    beside = tmp_path / "out" / ".pixmill-2of4-99-3.tmp"
    pixmill("run", many, "out", "--shard", "3/4", "--quiet")
    for path in (left, beside):
        path.write_bytes(b"half")
    pixmill("run", many, "out", "--shard", "1/2", "--quiet")
    assert not left.exists()
    assert beside.exists()
