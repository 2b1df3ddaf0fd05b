"""Observability of a run: metrics in a file and on a port, events, stalls."""

import json
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import ExitStack, suppress

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.ports import free_port, free_ports
from support.processes import wait_until

PROMTOOL = shutil.which("promtool")
PROMETHEUS = shutil.which("prometheus")


def samples(text):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_extension_of_the_metrics_file_decides_who_reads_it(pixmill, photos, tmp_path):
    pixmill("run", photos, "out", "--metrics-file", tmp_path / "m.prom")
    values = samples((tmp_path / "m.prom").read_text())
    assert values["pixmill_images_total", "done"] == 4
    assert values["pixmill_source_bytes_total",] == sum(path.stat().st_size for path in photos.iterdir())
    assert {"queue", "read", "header", "decode", "transform", "encode", "write", "fsync"} <= {
        key[1] for key in values if key[0] == "pixmill_stage_duration_seconds_count"
    }
    if PROMTOOL:
        checked = subprocess.run(
            [PROMTOOL, "check", "metrics"], input=(tmp_path / "m.prom").read_bytes(), capture_output=True, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_an_events_file_tells_the_whole_story_from_start_to_end(pixmill, photos, tmp_path):
    (photos / "bad.jpg").write_bytes(b"no picture")
    pixmill("run", photos, "out", "--events", tmp_path / "e.jsonl")
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_ended")
    ends = [(event["key"], event["outcome"]) for event in events if event["event"] == "task_finished"]
    assert sorted(ends) == [("bad.jpg", "failed"), *((f"p{number}.jpg", "done") for number in range(4))]


@pytest.mark.parametrize("option", ["--events", "--metrics-file", "--log-file"])
def test_a_file_that_cannot_be_written_is_said_before_anything_runs(pixmill, photos, option, tmp_path):
    ended = pixmill("run", photos, "out", option, tmp_path / "nowhere" / "file")
    assert ended.returncode == 2
    assert "cannot be written" in ended.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def held_up(clean_environment, tmp_path, photos):
    """Return a function that starts a run with one worker that takes a minute per image."""
    step = tmp_path / "slow.py"
    step.write_text("import time\n\ndef wait(image):\n    time.sleep(60)\n    return image\n")
    with ExitStack() as stack:

        def start(*options):
            words = ["run", photos, "out", "--workers", "1", "--step", f"python:function={step}:wait", *options]
            run = subprocess.Popen(
                [sys.executable, "-m", "pixmill", *words], cwd=tmp_path, env=clean_environment, stderr=subprocess.PIPE, text=True
            )
            stack.callback(run.communicate)
            stack.callback(run.kill)
            return run

        yield start


def test_the_port_answers_while_the_run_goes_on_and_a_stall_is_said(held_up, tmp_path):
    log = tmp_path / "log.txt"
    port = free_port()
    run = held_up("--metrics-port", str(port), "--stall-after", "1s", "--log-file", log)
    wait_until(lambda: log.exists() and "stalled in transform" in log.read_text())
    values = samples(ask(port))
    assert values["pixmill_images_in_flight",] == 1
    assert values["pixmill_resident_memory_bytes", "workers"] > 1_000_000
    assert values["pixmill_resident_memory_bytes", "coordinator"] > 1_000_000
    assert values["pixmill_oldest_in_flight_seconds",] > 0
    assert run.stderr.readline().startswith("makes")
    while not (line := run.stderr.readline()).startswith("[STALLED] nothing has finished for"):
        assert line.startswith(" ")  # what is made, wrapped
    while "p0.jpg, in transform, for" not in (line := run.stderr.readline()):
        assert line  # it has stalled in an earlier stage too, where workers were long in coming


def ask(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (Debian: apt install prometheus)")
def test_a_real_prometheus_scrapes_a_run_and_answers_a_query(held_up, tmp_path):
    target, server = free_ports(2)
    scraped = [{"job_name": "pixmill", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}]
    config = tmp_path / "prometheus.json"  # JSON is YAML
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": scraped}))
    held_up("--metrics-port", str(target))
    words = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address=127.0.0.1:{server}"]
    with subprocess.Popen([PROMETHEUS, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as prometheus:
        try:
            wait_until(lambda: answer(server, "pixmill_images_in_flight") == 1.0, seconds=60)
            assert answer(server, "pixmill_images_found_total") == 4.0
            assert answer(server, 'pixmill_resident_memory_bytes{process="workers"}') > 1_000_000
        finally:
            prometheus.terminate()


def answer(port, query):
    """Return the value that Prometheus has for ``query``, ``None`` if it has none yet."""
    with suppress(OSError):
        url = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(url, timeout=10) as response:
            for result in json.loads(response.read())["data"]["result"]:
                return float(result["value"][1])
    return None
