"""``--serve``: the state of a run over HTTP while it is in progress."""

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.ports import free_port
from support.processes import wait_until


class Served:
    """A command under way, and where it says that its page is."""

    def __init__(self, process):
        self.process = process
        self.url = re.match(r"\[SERVING\] (http://\S+)$", process.stderr.readline())[1]

    def ask(self, path="", **headers):
        request = urllib.request.Request(self.url.partition("?")[0] + path, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def status(self, path="", **headers):
        try:
            self.ask(path, **headers)
        except urllib.error.HTTPError as error:
            return error.code
        return 200


@pytest.fixture
def serve(clean_environment, tmp_path, photos):
    """Return a function that starts a command whose images take a minute each, and waits for it to serve."""
    step = tmp_path / "slow.py"
    step.write_text("import time\n\ndef wait(image):\n    time.sleep(60)\n    return image\n")
    with ExitStack() as stack:

        def start(command, *options):
            words = [command, photos, "out", "--workers", "1", "--step", f"python:function={step}:wait", *options]
            line = [sys.executable, "-m", "pixmill", *map(str, words)]
            process = subprocess.Popen(line, cwd=tmp_path, env=clean_environment, stderr=subprocess.PIPE, text=True)
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return Served(process)

        yield start


def test_it_tells_programs_what_it_tells_people(serve):
    run = serve("run", "--serve", "0", "--quiet")
    wait_until(lambda: "transform" in json.loads(run.ask("state"))["parts"].get("working", ""), seconds=60)
    values = {
        sample.name: sample.value for family in text_string_to_metric_families(run.ask("metrics")) for sample in family.samples
    }
    assert (values["pixmill_images_found_total"], values["pixmill_images_in_flight"]) == (4, 1)
    assert run.ask("healthz") == "ok\n"


def test_the_page_of_a_quiet_run_knows_how_many_images_there_are(serve):
    run = serve("run", "--serve", "0", "--quiet", "--window", "1")
    wait_until(lambda: "4 images" in run.ask("state"), seconds=60)


def test_health_is_not_well_when_nothing_finishes_any_more(serve):
    run = serve("run", "--serve", "0", "--stall-after", "1s")
    wait_until(lambda: run.status("healthz") == 503, seconds=60)


def test_a_watch_can_be_looked_at_too(serve):
    watch = serve("watch", "--serve", "0")
    wait_until(lambda: "transform" in json.loads(watch.ask("state"))["parts"].get("working", ""), seconds=60)


def test_beyond_this_machine_it_takes_the_token_that_was_printed(serve):
    run = serve("run", "--serve", "0.0.0.0:0", "--quiet")
    token = run.url.partition("?token=")[2]
    run.url = re.sub(r"//.*:(\d+)/.*", r"//127.0.0.1:\1/", run.url)
    assert [run.status(path) for path in ("", "state", "metrics", "?token=guess")] == [401] * 4
    assert run.status("metrics", Authorization=f"Bearer {token}") == 200
    assert run.status("healthz") == 200


def test_a_page_that_has_rebound_its_name_is_refused(serve):
    assert serve("run", "--serve", "0").status(Host="evil.example") == 421


def test_a_run_that_ends_leaves_the_port(pixmill, photos):
    port = free_port()
    ended = pixmill("run", photos, "out", "--serve", str(port))
    assert ended.returncode == 0
    assert f"[SERVING] http://127.0.0.1:{port}/" in ended.stderr
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=60):
        pass


def test_a_port_that_is_taken_is_said_before_anything_runs(pixmill, photos, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = pixmill("run", photos, "out", "--serve", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "cannot listen on" in ended.stderr
    assert not (tmp_path / "out").exists()
