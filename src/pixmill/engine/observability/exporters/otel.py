"""A run as OpenTelemetry sees it: a trace for each of some tasks with its stages as spans, and the numbers of all as metrics.

Where to is told by the variables that OpenTelemetry documents, ``OTEL_EXPORTER_OTLP_ENDPOINT`` first of all (OTLP over HTTP):
https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Needs the extra ``otel``.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import accumulate, pairwise
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Histogram, Observation
from opentelemetry.sdk.environment_variables import OTEL_TRACES_SAMPLER
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Sampler, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from pixmill.core.events import Event, Observer
from pixmill.core.text import printable
from pixmill.engine.events import RunEnded, RunStarted, TaskFinished
from pixmill.engine.observability.histogram import BOUNDS
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.task import Done, Failed

SAMPLED_SHARE = 0.1  # of the tasks that get a trace, unless OTEL_TRACES_SAMPLER says otherwise
SHUTDOWN_TIMEOUT = 5.0  # seconds that the last numbers may take when the run is over
QUEUE = "queue"  # before a worker has begun
LIBRARY = "opentelemetry"  # the name of its loggers


class OtelObserver(Observer):
    """Sends what happens. It comes after ``metrics`` among the observers.

    ``unit`` is what a task is called; ``measures`` are the names of what handlers count. What cannot be sent is lost, and
    ``complain`` is told so once: the work does not depend on being watched.
    """

    def __init__(
        self, metrics: Metrics, *, unit: str, measures: Mapping[str, str], version: str, complain: Callable[[str], None]
    ) -> None:
        """Start the threads that send."""
        _forward_warnings(complain)
        resource = Resource({"service.name": "pixmill", "service.version": version}).merge(OTELResourceDetector().detect())
        self._traces = TracerProvider(sampler=_sampler(), resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        self._meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._unit = unit
        self._tracer: Tracer = self._traces.get_tracer("pixmill", version)
        self._durations = _instruments(self._meters, metrics, unit, measures, version)
        self._run: Span | None = None

    def on_event(self, event: Event) -> None:
        """Make spans of ``event``."""
        match event:
            case RunStarted():
                attributes = {"pixmill.run": event.run, "pixmill.workers": event.workers}
                self._run = self._tracer.start_span("run", attributes=attributes, start_time=_nanoseconds(event.at))
            case TaskFinished(outcome=Done() | Failed() as outcome) if not getattr(outcome, "remembered", False):
                self._trace(outcome, event.at)
            case RunEnded() if self._run is not None:
                self._run.set_attributes({"pixmill.reason": event.reason, "pixmill.done": event.counts.done})
                self._run.end(_nanoseconds(event.at))
                self._run = None

    def close(self) -> None:
        """Send the last of it; give up after a few seconds."""
        shutdowns = [Thread(target=provider.shutdown, daemon=True) for provider in (self._traces, self._meters)]
        for farewell in shutdowns:
            farewell.start()
        for farewell in shutdowns:
            farewell.join(SHUTDOWN_TIMEOUT / len(shutdowns))

    def _trace(self, outcome: Done | Failed, at: float) -> None:
        """Make a trace of its own for a task, so that each can be sampled by itself; a link leads to the run."""
        began = at - outcome.seconds
        links = [Link(self._run.get_span_context())] if self._run is not None else []
        span = self._tracer.start_span(self._unit, kind=SpanKind.CONSUMER, links=links, start_time=_nanoseconds(began))
        if isinstance(outcome, Done):
            stages = {stage: seconds for stage, seconds in outcome.timings.items() if stage != QUEUE}
            for stage, seconds in stages.items():
                self._durations.record(seconds, {"pixmill.stage": stage})
            if span.is_recording():
                span.set_attribute("pixmill.queue_seconds", outcome.timings.get(QUEUE, 0.0))
                self._spans(span, stages, began)
        if span.is_recording():
            span.set_attributes(dict(_attributes(outcome)))
            if isinstance(outcome, Failed):
                span.set_status(Status(StatusCode.ERROR, printable(outcome.failure.message)))
        span.end(_nanoseconds(at))

    def _spans(self, parent: Span, stages: Mapping[str, float], began: float) -> None:
        """Make a span of each stage, end to end: a worker reports how long each took in all, in the order of their beginnings."""
        context = set_span_in_context(parent)
        times = accumulate(stages.values(), initial=began)
        for stage, (begin, end) in zip(stages, pairwise(times), strict=True):
            self._tracer.start_span(stage, context=context, start_time=_nanoseconds(begin)).end(_nanoseconds(end))


def _attributes(outcome: Done | Failed) -> Iterator[tuple[str, AttributeValue]]:
    yield "pixmill.key", printable(outcome.task.key)
    yield "pixmill.attempts", outcome.attempts
    if isinstance(outcome, Done):
        yield from ((f"pixmill.{measure}", amount) for measure, amount in outcome.measures.items())
    else:
        yield "error.type", outcome.failure.code
        yield "pixmill.stage", outcome.failure.stage


def _sampler() -> Sampler | None:
    """Return our own choice, or nothing where the environment has made one."""
    return None if os.environ.get(OTEL_TRACES_SAMPLER) else TraceIdRatioBased(SAMPLED_SHARE)


def _instruments(meters: MeterProvider, metrics: Metrics, unit: str, measures: Mapping[str, str], version: str) -> Histogram:
    """Register what is read off ``metrics`` whenever numbers are sent, and return the histogram of stages."""
    meter = meters.get_meter("pixmill", version)

    def count(name: str, read: Callable[[MetricsSnapshot], Mapping[str, float]], label: str = "") -> None:
        meter.create_observable_counter(f"pixmill.{name}", [partial(_observe, metrics, read, label)])

    def gauge(name: str, read: Callable[[MetricsSnapshot], Mapping[str, float]], label: str = "", *, of: str = "") -> None:
        meter.create_observable_gauge(f"pixmill.{name}", [partial(_observe, metrics, read, label)], unit=of)

    count(f"{unit}s", lambda now: {"done": now.done, "failed": now.failed, "skipped": now.skipped}, "pixmill.state")
    count(f"{unit}s.found", lambda now: {"": now.found})
    count("failures", lambda now: {code: kind.count for code, kind in now.failures.items()}, "error.type")
    count("retries", lambda now: {"": now.retries})
    count("workers.lost", lambda now: {"": now.workers_lost})
    for measure, name in measures.items():
        count(name, partial(_measure, measure))
    gauge(f"{unit}s.in_flight", lambda now: {"": now.in_flight})
    gauge("memory", lambda now: {"coordinator": now.coordinator_memory, "workers": now.workers_memory}, "pixmill.process", of="By")
    return meter.create_histogram(
        "pixmill.stage.duration", unit="s", explicit_bucket_boundaries_advisory=list(BOUNDS), description="time of each stage"
    )


def _observe(
    metrics: Metrics,
    read: Callable[[MetricsSnapshot], Mapping[str, float]],
    label: str,
    options: CallbackOptions,  # noqa: ARG001  # as it is called
) -> Iterator[Observation]:
    for value, amount in read(metrics.snapshot()).items():
        yield Observation(amount, {label: value} if label else {})


def _measure(measure: str, now: MetricsSnapshot) -> Mapping[str, float]:
    return {"": now.measures.get(measure, 0)}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)


class _WarningHandler(logging.Handler):
    """Passes the first warning on; the others say the same."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._complain: Callable[[str], None] | None = complain

    def emit(self, record: logging.LogRecord) -> None:
        complain, self._complain = self._complain, None
        if complain is not None:
            complain(printable(record.getMessage()))


def _forward_warnings(complain: Callable[[str], None]) -> None:
    """Hear what the library has to say in the place of whoever reads the standard error output."""
    logger = logging.getLogger(LIBRARY)
    logger.propagate = False
    logger.addHandler(_WarningHandler(complain))
