"""Runs over an archive and over a list of URLs, killed again and again, end with what a run over the folder makes."""

import json
import os
import signal
import subprocess
import tarfile
import time
from contextlib import suppress
from functools import partial

import pytest

import pixmill
from support.fault_run import COMMAND
from support.invariants import check_complete, finished, identities, outputs, temporaries
from support.processes import wait_until
from support.web_server import Answer, serving

KILLS = 2
STEP = 3  # outputs between two kills


def as_archive(folder, path):
    with tarfile.open(path, "w") as archive:
        archive.add(folder, ".")
    return path


@pytest.fixture
def killed_again_and_again(tmp_path):
    """Run the command until it ends by itself, killing it with all its workers after every few images that it finished."""

    def run(source):
        out = tmp_path / "out"
        line = [*COMMAND, "run", str(source), str(out), "--workers", "2", "--allow-private-hosts"]
        kept = {}
        for number in range(1, KILLS + 1):
            process = subprocess.Popen(line, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_until(lambda: process.poll() is not None or len(outputs(out)) >= number * STEP)  # noqa: B023  # it is used at once
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            after = identities(out)
            assert {name: after[name] for name in kept} == kept
            kept = {name: after[name] for name in finished(out)}
        assert subprocess.run(line, check=False, capture_output=True, timeout=240).returncode == 0
        assert temporaries(out) == []
        return out

    return run


def test_an_archive_is_finished_however_often_its_run_is_killed(pictures, tmp_path, killed_again_and_again):
    folder = pictures(12)
    pixmill.run(folder, tmp_path / "whole", workers=2)
    out = killed_again_and_again(as_archive(folder, tmp_path / "in.tar"))
    check_complete(out, outputs(tmp_path / "whole"))


def test_a_list_of_urls_is_finished_however_often_its_run_is_killed(pictures, tmp_path, killed_again_and_again):
    folder = pictures(12)
    pixmill.run(folder, tmp_path / "whole", workers=2)
    images = {f"/{path.relative_to(folder)}".replace(" ", "%20"): path.read_bytes() for path in folder.rglob("*.jpg")}
    with serving({target: Answer(data) for target, data in images.items()}) as server:
        (tmp_path / "urls.txt").write_text("\n".join(server.url + target for target in images))
        out = killed_again_and_again(tmp_path / "urls.txt")
        host = server.url.removeprefix("http://")
    check_complete(out, {f"{host}/{name}": data for name, data in outputs(tmp_path / "whole").items()})


def test_a_host_that_refuses_holds_up_no_other_and_not_the_run(pictures, tmp_path):
    """Its images wait, however many they are, and are made once it answers."""
    files = [path.read_bytes() for path in sorted(pictures(4).rglob("*.jpg"))]
    begun: list[float] = []  # when the first request was refused
    served: list[int] = []

    def quick(number, _asked):
        served.append(number)
        return Answer(files[number % 4])

    def busy(number, _asked):
        begun.append(time.monotonic())
        refuses = len(served) < 40 or begun[-1] < begun[0] + 8  # the breaker of stores would open after 5 s
        return Answer(status=503, headers={"Retry-After": "2"}) if refuses else Answer(files[number % 4])

    answers = {f"/busy/{number}.jpg": partial(busy, number) for number in range(40)}
    answers.update({f"/{number}.jpg": partial(quick, number) for number in range(40)})
    with serving(answers) as server:
        urls = [f"{server.url}/busy/{number}.jpg" for number in range(40)]
        urls += [f"{server.url.replace('127.0.0.1', 'localhost')}/{number}.jpg" for number in range(40)]
        (tmp_path / "list.txt").write_text("\n".join(urls))
        line = [*COMMAND, "run", "list.txt", "out", "--workers", "2", "--allow-private-hosts", "--events", "events.jsonl"]
        ended = subprocess.run(line, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
    assert "[WAITING]" not in ended.stderr
    events = [json.loads(text) for text in (tmp_path / "events.jsonl").read_text().splitlines()]
    order = ["busy" in event["key"] for event in events if event["event"] == "task_finished"]
    assert not any(order[:30])
    assert len(order) == 80
