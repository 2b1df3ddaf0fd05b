"""The numbers of a run as Prometheus reads them: text for a file, or a server to be scraped.

Names follow https://prometheus.io/docs/practices/naming/: a prefix, base units, ``_total`` behind what only grows.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

import msgspec
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import ConfigError
from pixmill.core.events import Event, Observer
from pixmill.engine.observability.histogram import BOUNDS, HistogramSnapshot
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot

_BOUNDS = (*(format(bound, "g") for bound in BOUNDS), "+Inf")


class MetricNames(msgspec.Struct, frozen=True, kw_only=True):
    """What the numbers are called: the ``unit`` that a task is, and the names of ``measures``, whose meaning only handlers know.

    A measure ``note.profile-ignored`` counts the ``profile-ignored`` of a family: ``notes_total{note="profile-ignored"}``.
    """

    prefix: str = "pixmill"
    unit: str = "task"
    measures: Mapping[str, str] = {}


def exposition(snapshot: MetricsSnapshot, names: MetricNames) -> str:
    """Return ``snapshot`` in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(families(snapshot, names)))
    return generate_latest(registry).decode()


def families(snapshot: MetricsSnapshot, names: MetricNames) -> Iterator[Metric]:
    """Yield every metric with its samples."""
    name, unit = names.prefix, names.unit
    states = {"done": snapshot.done, "failed": snapshot.failed, "skipped": snapshot.skipped}
    failures = {code: kind.count for code, kind in snapshot.failures.items()}
    memory = {"coordinator": snapshot.coordinator_memory, "workers": snapshot.workers_memory}
    yield _counter(f"{name}_{unit}s_found", f"{unit}s that the source has yielded", snapshot.found)
    yield _counters(f"{name}_{unit}s", f"{unit}s with an outcome, by what it is", "state", states)
    yield _counters(f"{name}_failures", f"{unit}s that failed, by why", "code", failures)
    yield _counter(f"{name}_retries", "tries that failed and were followed by another", snapshot.retries)
    yield _counter(f"{name}_throttled", "requests that a storage refused because there were too many", snapshot.throttled)
    yield _counter(f"{name}_workers_lost", "worker processes that ended before their time and were replaced", snapshot.workers_lost)
    if snapshot.node_failures or snapshot.nodes_left_out:  # of a cluster only
        yield _counter(f"{name}_nodes_left_out", "nodes of the cluster that got no work, or no more", snapshot.nodes_left_out)
        yield _counters(f"{name}_node_failures", "tries that failed, final or not, by node", "node", snapshot.node_failures)
    yield from _measures(snapshot.measures, names)
    yield _gauge(f"{name}_workers", "worker processes", snapshot.workers)
    yield _gauge(f"{name}_{unit}s_in_flight", f"{unit}s that a worker is at", snapshot.in_flight)
    yield _gauge(f"{name}_oldest_in_flight_seconds", f"time that a worker has been at its {unit}, the longest", snapshot.oldest)
    yield _gauge(f"{name}_last_progress_timestamp_seconds", f"when the last {unit} ended, since the epoch", snapshot.finished_at)
    yield _gauges(f"{name}_resident_memory_bytes", "resident memory, by process", "process", memory)
    yield _histogram(f"{name}_{unit}_duration_seconds", f"time that a worker took for a {unit}", {"": snapshot.task}, label="")
    yield _histogram(f"{name}_stage_duration_seconds", f"time that a {unit} spent in each stage", snapshot.stages, label="stage")


class MetricsServer(Observer):
    """Answers whoever asks ``endpoint`` with the numbers of ``metrics`` at that moment, in a thread of its own."""

    def __init__(self, endpoint: Endpoint, metrics: Metrics, names: MetricNames) -> None:
        """Listen from now on; ``ConfigError`` when the port cannot be had."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Live(metrics, names))
        try:
            self._server, self._thread = start_http_server(endpoint.port, addr=endpoint.host, registry=registry)
        except OSError as error:
            raise ConfigError(f"{endpoint} cannot be listened on: {error.strerror}", hint="name another port") from error

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self._server.server_port)

    def on_event(self, event: Event) -> None:
        """Leave the counting to ``metrics``."""

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


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
        group, dot, member = measure.partition(".")
        if dot:
            groups.setdefault(group, {})[member] = amount
        else:
            meaning = names.measures.get(measure, measure)
            yield _counter(f"{names.prefix}_{meaning}", f"{meaning.replace('_', ' ')} of what was done", amount)
    for group, members in groups.items():
        yield _counters(f"{names.prefix}_{group}s", f"{names.unit}s with a {group}, by which", group, members)


def _counter(name: str, meaning: str, amount: int) -> Metric:
    return CounterMetricFamily(name, meaning, value=amount)


def _counters(name: str, meaning: str, label: str, amounts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=[label])
    for value, amount in amounts.items():
        family.add_metric([value], amount)
    return family


def _gauge(name: str, meaning: str, amount: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=amount)


def _gauges(name: str, meaning: str, label: str, amounts: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, amount in amounts.items():
        family.add_metric([value], amount)
    return family


def _histogram(name: str, meaning: str, timings: Mapping[str, HistogramSnapshot], *, label: str) -> Metric:
    family = HistogramMetricFamily(name, meaning, labels=[label] if label else [])
    for value, timing in timings.items():
        running = [float(number) for number in accumulate(timing.buckets)]
        family.add_metric([value] if label else [], list(zip(_BOUNDS, running, strict=True)), timing.total)
    return family
