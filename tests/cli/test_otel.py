"""``--otel``: a run as an OpenTelemetry collector receives it, over OTLP/HTTP."""

import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import pytest

if find_spec("opentelemetry") is None:
    pytest.skip("the extra otel is not installed", allow_module_level=True)

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

KINDS = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector(BaseHTTPRequestHandler):
    """Decodes and stores the requests it receives."""

    def do_POST(self):
        sent = KINDS[self.path].FromString(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received[self.path].append(sent)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    server.received = defaultdict(list)
    listening = threading.Thread(target=server.serve_forever)
    listening.start()
    yield server
    server.shutdown()
    server.server_close()
    listening.join()


@pytest.fixture
def send(pixmill, photos, collector):
    """Return a function that runs pixmill on the photos and returns the spans and the metrics by name that were collected."""

    def send(**variables):
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        ended = pixmill("run", photos, "out", "--otel", "--quiet", env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **variables})
        assert ended.stderr == ("" if ended.returncode == 0 else "1 image failed: pixmill failures out\n")
        scopes = [
            scope for sent in collector.received["/v1/traces"] for resource in sent.resource_spans for scope in resource.scope_spans
        ]
        last = collector.received["/v1/metrics"][-1]
        metrics = {m.name: m for resource in last.resource_metrics for scope in resource.scope_metrics for m in scope.metrics}
        return [span for scope in scopes for span in scope.spans], metrics

    return send


def attributes(record):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in record.attributes}


def by_state(metric, label):
    return {attributes(point)[label]: point.as_int for point in metric.sum.data_points}


def test_each_image_is_a_trace_with_its_stages_and_a_link_to_the_run(send):
    spans, _ = send(OTEL_TRACES_SAMPLER="always_on")
    run = next(span for span in spans if span.name == "run")
    images = [span for span in spans if span.name == "image"]
    assert sorted(attributes(image)["pixmill.key"] for image in images) == [f"p{number}.jpg" for number in range(4)]
    for image in images:
        stages = [span for span in spans if span.trace_id == image.trace_id and span is not image]
        assert {stage.parent_span_id for stage in stages} == {image.span_id}
        assert [stage.name for stage in stages] == ["read", "header", "decode", "transform", "encode", "write", "fsync"]
        assert image.start_time_unix_nano <= stages[0].start_time_unix_nano
        assert stages[-1].end_time_unix_nano <= image.end_time_unix_nano + 1_000_000
        assert [link.span_id for link in image.links] == [run.span_id]
        assert attributes(image)["pixmill.outputs"] == 1
    result = attributes(run)
    assert (result["pixmill.run"], result["pixmill.reason"], result["pixmill.done"]) == (1, "finished", 4)
    assert run.start_time_unix_nano <= min(image.end_time_unix_nano for image in images)


def test_a_failure_is_an_error_with_its_code_and_hostile_names_are_inert(send, photos):
    (photos / "red\x1b[31m\udcff.jpg").write_bytes(b"no picture")
    spans, metrics = send(OTEL_TRACES_SAMPLER="always_on")
    failed = next(span for span in spans if "error.type" in attributes(span))
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert attributes(failed)["error.type"] == "not-an-image"
    assert attributes(failed)["pixmill.key"] == "red\\x1b[31m\\xff.jpg"
    assert by_state(metrics["pixmill.failures"], "error.type") == {"not-an-image": 1}


def test_the_numbers_are_of_all_images_however_few_have_a_trace(send, photos):
    spans, metrics = send(OTEL_TRACES_SAMPLER="always_off")
    assert spans == []
    assert by_state(metrics["pixmill.images"], "pixmill.state") == {"done": 4, "failed": 0, "skipped": 0}
    assert metrics["pixmill.source_bytes"].sum.data_points[0].as_int == sum(path.stat().st_size for path in photos.iterdir())
    stages = {attributes(point)["pixmill.stage"]: point for point in metrics["pixmill.stage.duration"].histogram.data_points}
    assert {stage: point.count for stage, point in stages.items() if stage in ("decode", "encode")} == {"decode": 4, "encode": 4}
    assert 0.0005 in stages["decode"].explicit_bounds


def test_who_it_is_can_be_said_by_the_standard_variables(send, collector):
    send(OTEL_SERVICE_NAME="holiday", OTEL_RESOURCE_ATTRIBUTES="site=attic")
    result = attributes(collector.received["/v1/metrics"][0].resource_metrics[0].resource)
    assert (result["service.name"], result["site"]) == ("holiday", "attic")


def test_a_collector_that_is_away_is_said_once_and_costs_no_image(pixmill, photos):
    ended = pixmill("run", photos, "out", "--otel", "--progress", "none", env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert ended.returncode == 0
    assert ended.stderr.count("[OTEL] export failed, telemetry was lost") == 1
    assert "done      4 images" in ended.stderr


def test_without_the_extra_it_says_what_to_install(pixmill, photos, tmp_path):
    package = tmp_path / "lib" / "opentelemetry"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it is not here')\n")
    ended = pixmill("run", photos, "out", "--otel", env={"PYTHONPATH": str(package.parent)})
    assert ended.returncode == 2
    assert "pip install 'pixmill[otel]'" in ended.stderr
