"""The Prometheus export, read by its own parser, checked by its own linter, and scraped from the port."""

import shutil
import socket
import subprocess
import threading
import urllib.request
from contextlib import ExitStack, closing, suppress

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pixmill.core.bounded_server import MAX_CONNECTIONS
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import ConfigError
from pixmill.engine.events import RunStarted, TaskFinished, TaskFound, WorkersSeen
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.observability.exporters.prometheus import MetricNames, MetricsServer, exposition
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.task import Done, Failed, Failure, Skipped, Task

NAMES = MetricNames(unit="image", measures={"bytes_in": "source_bytes"})
PROMTOOL = shutil.which("promtool")


def task(key=b"a"):
    return Task(b"", key)


@pytest.fixture
def metrics():
    metrics = Metrics()
    metrics.on_event(RunStarted(at=1000.0, run=3, workers=2))
    outcomes = [
        Done(task=task(), seconds=0.3, timings={"decode": 0.2, "queue": 0.1}, measures={"bytes_in": 500, "note.frames-dropped": 1}),
        Done(task=task(), seconds=90.0, timings={"decode": 80.0}, measures={"bytes_in": 200}),
        Failed(task=task(), failure=Failure(code='de"co\nde\\', stage="decode", message="x")),
        Skipped(task=task()),
    ]
    for outcome in outcomes:
        metrics.on_event(TaskFound(at=1001, task=task()))
        metrics.on_event(TaskFinished(at=1002.5, outcome=outcome))
    metrics.on_event(
        WorkersSeen(
            at=1003, memory=64, posts=(WorkerStatus(pid=1, memory=100, key=b"x", seconds=4.0), WorkerStatus(pid=2, memory=50))
        )
    )
    return metrics


def samples(text):
    return {
        (sample.name, *sample.labels.items()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_number_is_there_under_a_name_that_says_its_unit(metrics):
    values = samples(exposition(metrics.snapshot(), NAMES))
    assert values["pixmill_images_found_total",] == 4
    assert [values["pixmill_images_total", ("state", state)] for state in ("done", "failed", "skipped")] == [2, 1, 1]
    assert values["pixmill_failures_total", ("code", 'de"co\nde\\')] == 1
    assert values["pixmill_source_bytes_total",] == 700
    assert values["pixmill_notes_total", ("note", "frames-dropped")] == 1
    assert values["pixmill_images_in_flight",] == 1
    assert values["pixmill_oldest_in_flight_seconds",] == 4.0
    assert values["pixmill_last_progress_timestamp_seconds",] == 1002.5
    assert values["pixmill_resident_memory_bytes", ("process", "coordinator")] == 64
    assert values["pixmill_resident_memory_bytes", ("process", "workers")] == 150


def test_a_histogram_is_cumulative_and_ends_with_all_of_them(metrics):
    values = samples(exposition(metrics.snapshot(), NAMES))
    buckets = {
        dict(labels)["le"]: value for (name, *labels), value in values.items() if name == "pixmill_image_duration_seconds_bucket"
    }
    assert buckets["0.256"] == 0
    assert buckets["0.512"] == 1
    assert buckets["65.536"] == 1
    assert buckets["+Inf"] == values["pixmill_image_duration_seconds_count",] == 2
    assert values["pixmill_stage_duration_seconds_sum", ("stage", "decode")] == pytest.approx(80.2)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: apt install prometheus)")
def test_the_linter_of_prometheus_finds_nothing_to_complain_of(metrics):
    text = exposition(metrics.snapshot(), NAMES)
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_a_scrape_returns_the_current_metrics(metrics):
    with closing(MetricsServer(Endpoint(0), metrics, NAMES)) as server:
        before = samples(scrape(server.port))
        metrics.on_event(TaskFinished(at=1004, outcome=Done(task=task(), seconds=0.1)))
        after = samples(scrape(server.port))
    done = ("pixmill_images_total", ("state", "done"))
    assert (before[done], after[done]) == (2, 3)


def test_clients_that_ask_nothing_take_a_few_threads_and_are_sent_away(metrics):
    before = threading.active_count()
    with closing(MetricsServer(Endpoint(0), metrics, NAMES, idle_timeout=0.5)) as server, ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(MAX_CONNECTIONS * 4)]
        for connection in idle:
            with suppress(OSError):
                connection.sendall(b"GET /metrics HTTP/1.1\r\n")
        assert threading.active_count() - before <= MAX_CONNECTIONS + 1
        for connection in idle:
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert "pixmill_images_total" in scrape(server.port)


def test_scrapes_are_refused_once_it_is_closed(metrics):
    server = MetricsServer(Endpoint(0), metrics, NAMES)
    server.close()
    with pytest.raises(OSError, match="refused"):
        scrape(server.port)


def test_a_port_that_is_taken_is_an_error_of_the_configuration(metrics):
    with (
        closing(MetricsServer(Endpoint(0), metrics, NAMES)) as server,
        pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{server.port}"),
    ):
        MetricsServer(Endpoint(server.port), metrics, NAMES)
