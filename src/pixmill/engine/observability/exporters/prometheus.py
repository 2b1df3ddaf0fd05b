"""Export the metrics of a run to Prometheus: as text for a file, or from a server to be scraped.

Names follow https://prometheus.io/docs/practices/naming/: a prefix, base units, ``_total`` for counters.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import msgspec
from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pixmill.core.bounded_server import IDLE_TIMEOUT, BoundedServer
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import ConfigError
from pixmill.core.events import Event, Observer
from pixmill.engine.observability.histogram import BOUNDS, HistogramSnapshot
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.observability.publisher import IgnoresUnchanged

_BOUNDS = (*(format(bound, "g") for bound in BOUNDS), "+Inf")


class MetricNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names of metrics: the ``unit`` that a task stands for, and names for ``measures``, whose meaning only handlers know.

    A measure ``note.profile-ignored`` becomes a sample of a family: ``notes_total{note="profile-ignored"}``.
    """

    prefix: str = "pixmill"
    unit: str = "task"
    measures: Mapping[str, str] = {}


def exposition(snapshot: MetricsSnapshot, names: MetricNames) -> str:
    """Return ``snapshot`` in Prometheus' text format."""
    return text_of(families(snapshot, names))


def text_of(metrics: Iterable[Metric]) -> str:
    """Return ``metrics`` in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(metrics))
    return generate_latest(registry).decode()


def families(snapshot: MetricsSnapshot, names: MetricNames) -> Iterator[Metric]:
    """Yield every metric with its samples."""
    name, unit = names.prefix, names.unit
    states = {"done": snapshot.done, "failed": snapshot.failed, "skipped": snapshot.skipped}
    failures = {code: kind.count for code, kind in snapshot.failures.items()}
    memory = {"coordinator": snapshot.coordinator_memory, "workers": snapshot.workers_memory}
    yield _counter(f"{name}_{unit}s_found", f"{unit}s found in the source", snapshot.found)
    yield _counters(f"{name}_{unit}s", f"{unit}s with an outcome, by state", "state", states)
    yield _counters(f"{name}_failures", f"failed {unit}s, by error code", "code", failures)
    yield _counter(f"{name}_retries", "failed attempts that were retried", snapshot.retries)
    yield _counter(f"{name}_throttled", "requests that a storage refused to limit their rate", snapshot.throttled)
    yield _gauge(f"{name}_store_held", "1 while work waits for a store that refuses or does not answer", int(snapshot.held))
    held = "time that work has waited for stores, as of the last recovery"
    yield _counter(f"{name}_store_held_seconds", held, snapshot.held_seconds)
    yield _counter(f"{name}_workers_lost", "worker processes that ended unexpectedly and were replaced", snapshot.workers_lost)
    if snapshot.node_failures or snapshot.nodes_left_out:  # only on a cluster
        yield _counter(f"{name}_nodes_left_out", "cluster nodes that were refused or suspended", snapshot.nodes_left_out)
        yield _counters(f"{name}_node_failures", "failed attempts, final or not, by node", "node", snapshot.node_failures)
    yield from _measures(snapshot.measures, names)
    yield _gauge(f"{name}_workers", "worker processes", snapshot.workers)
    yield _gauge(f"{name}_{unit}s_in_flight", f"{unit}s being processed", snapshot.in_flight)
    yield _gauge(f"{name}_oldest_in_flight_seconds", f"time since the oldest {unit} in flight was started", snapshot.oldest)
    yield _gauge(
        f"{name}_last_progress_timestamp_seconds", f"time when the last {unit} finished, since the epoch", snapshot.finished_at
    )
    yield _gauges(f"{name}_resident_memory_bytes", "resident memory, by process", "process", memory)
    yield _histogram(f"{name}_{unit}_duration_seconds", f"time that a worker spent on a {unit}", {"": snapshot.task}, label="")
    yield _histogram(f"{name}_stage_duration_seconds", f"time that a {unit} spent in each stage", snapshot.stages, label="stage")


class MetricsServer(IgnoresUnchanged, Observer):
    """Serves the current ``metrics`` at ``endpoint``, in its own thread."""

    def __init__(self, endpoint: Endpoint, metrics: Metrics, names: MetricNames, *, idle_timeout: float = IDLE_TIMEOUT) -> None:
        """Start listening; ``ConfigError`` when that fails. A client may be silent for ``idle_timeout`` seconds."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Live(metrics, names))
        try:
            self._server = _Server((endpoint.host, endpoint.port), type("_Handler", (_Handler,), {"timeout": idle_timeout}))
        except OSError as error:
            raise ConfigError(f"cannot listen on {endpoint}: {error.strerror}", hint="choose another port") from error
        self._server.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port that the server listens on."""
        return int(self._server.server_port)

    def on_event(self, event: Event) -> None:
        """Do nothing: ``metrics`` does the counting."""

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(BoundedServer, WSGIServer):
    def server_bind(self) -> None:
        """Bind, and describe the server to its application."""
        super().server_bind()
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # the standard library's signature
        """Ignore clients that disconnect, or say nothing: the run must not be affected."""


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Log nothing: the terminal belongs to the run."""


class _Live(Collector):
    def __init__(self, metrics: Metrics, names: MetricNames) -> None:
        self._metrics = metrics
        self._names = names

    def collect(self) -> Iterable[Metric]:
        return families(self._metrics.snapshot(), self._names)


class _Once(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _measures(measures: Mapping[str, int], names: MetricNames) -> Iterator[Metric]:
    groups: dict[str, dict[str, int]] = {}
    for measure, amount in sorted(measures.items()):
        group, dot, label = measure.partition(".")
        if dot:
            groups.setdefault(group, {})[label] = amount
        else:
            name = names.measures.get(measure, measure)
            yield _counter(f"{names.prefix}_{name}", f"{name.replace('_', ' ')} in total", amount)
    for group, amounts in groups.items():
        yield _counters(f"{names.prefix}_{group}s", f"{names.unit}s, by {group}", group, amounts)


def _counter(name: str, description: str, amount: float) -> Metric:
    return CounterMetricFamily(name, description, value=amount)


def _counters(name: str, description: str, label: str, amounts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, description, labels=[label])
    for value, amount in amounts.items():
        family.add_metric([value], amount)
    return family


def _gauge(name: str, description: str, amount: float) -> Metric:
    return GaugeMetricFamily(name, description, value=amount)


def _gauges(name: str, description: str, label: str, amounts: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, description, labels=[label])
    for value, amount in amounts.items():
        family.add_metric([value], amount)
    return family


def _histogram(name: str, description: str, histograms: Mapping[str, HistogramSnapshot], *, label: str) -> Metric:
    family = HistogramMetricFamily(name, description, labels=[label] if label else [])
    for value, histogram in histograms.items():
        cumulative = [float(number) for number in accumulate(histogram.buckets)]
        family.add_metric([value] if label else [], list(zip(_BOUNDS, cumulative, strict=True)), histogram.total)
    return family
