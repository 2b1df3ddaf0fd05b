"""Export a run to OpenTelemetry: traces of a sample of tasks with their stages as spans, and the metrics of all tasks.

The destination is set by OpenTelemetry's own variables, above all ``OTEL_EXPORTER_OTLP_ENDPOINT`` (OTLP over HTTP):
https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Requires the extra ``otel``.
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
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.task import Done, Failed

SAMPLED_SHARE = 0.1  # share of the tasks that get a trace, unless OTEL_TRACES_SAMPLER is set
SHUTDOWN_TIMEOUT = 5.0  # seconds for sending the last data when the run is over
QUEUE = "queue"  # the stage before the worker starts the task
LIBRARY = "opentelemetry"  # the name of its loggers


class OtelObserver(IgnoresUnchanged, Observer):
    """Sends traces and metrics. It comes after ``metrics`` among the observers.

    ``unit`` is the name for a task; ``measures`` has the names for the handlers' counts. Data that cannot be sent is lost, and
    ``warn`` is called once: the run does not depend on being watched.
    """

    def __init__(
        self, metrics: Metrics, *, unit: str, measures: Mapping[str, str], version: str, warn: Callable[[str], None]
    ) -> None:
        """Start the threads that send the data."""
        _forward_warnings(warn)
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
        """Create spans from ``event``."""
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
        """Send the remaining data; give up after a few seconds."""
        shutdowns = [Thread(target=provider.shutdown, daemon=True) for provider in (self._traces, self._meters)]
        for thread in shutdowns:
            thread.start()
        for thread in shutdowns:
            thread.join(SHUTDOWN_TIMEOUT / len(shutdowns))

    def _trace(self, outcome: Done | Failed, at: float) -> None:
        """Create a separate trace for a task, so that each is sampled independently; a link leads to the run."""
        start = at - outcome.seconds
        links = [Link(self._run.get_span_context())] if self._run is not None else []
        span = self._tracer.start_span(self._unit, kind=SpanKind.CONSUMER, links=links, start_time=_nanoseconds(start))
        if isinstance(outcome, Done):
            stages = {stage: seconds for stage, seconds in outcome.timings.items() if stage != QUEUE}
            for stage, seconds in stages.items():
                self._durations.record(seconds, {"pixmill.stage": stage})
            if span.is_recording():
                span.set_attribute("pixmill.queue_seconds", outcome.timings.get(QUEUE, 0.0))
                self._add_stage_spans(span, stages, start)
        if span.is_recording():
            span.set_attributes(dict(_attributes(outcome)))
            if isinstance(outcome, Failed):
                span.set_status(Status(StatusCode.ERROR, printable(outcome.failure.message)))
        span.end(_nanoseconds(at))

    def _add_stage_spans(self, parent: Span, stages: Mapping[str, float], start: float) -> None:
        """Create a span for each stage, end to end: a worker reports only each stage's total, in the order of their starts."""
        context = set_span_in_context(parent)
        times = accumulate(stages.values(), initial=start)
        for stage, (stage_start, stage_end) in zip(stages, pairwise(times), strict=True):
            self._tracer.start_span(stage, context=context, start_time=_nanoseconds(stage_start)).end(_nanoseconds(stage_end))


def _attributes(outcome: Done | Failed) -> Iterator[tuple[str, AttributeValue]]:
    yield "pixmill.key", printable(outcome.task.key)
    yield "pixmill.attempts", outcome.attempts
    if isinstance(outcome, Done):
        yield from ((f"pixmill.{measure}", amount) for measure, amount in outcome.measures.items())
    else:
        yield "error.type", outcome.failure.code
        yield "pixmill.stage", outcome.failure.stage


def _sampler() -> Sampler | None:
    """Return our default sampler, or ``None`` if the environment sets one."""
    return None if os.environ.get(OTEL_TRACES_SAMPLER) else TraceIdRatioBased(SAMPLED_SHARE)


def _instruments(meters: MeterProvider, metrics: Metrics, unit: str, measures: Mapping[str, str], version: str) -> Histogram:
    """Register instruments that read ``metrics`` at each export, and return the histogram of stages."""
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
    options: CallbackOptions,  # noqa: ARG001  # part of the callback's signature
) -> Iterator[Observation]:
    for value, amount in read(metrics.snapshot()).items():
        yield Observation(amount, {label: value} if label else {})


def _measure(measure: str, now: MetricsSnapshot) -> Mapping[str, float]:
    return {"": now.measures.get(measure, 0)}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000_000)


class _WarningHandler(logging.Handler):
    """Passes on the first warning; later ones repeat it."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._warn: Callable[[str], None] | None = warn

    def emit(self, record: logging.LogRecord) -> None:
        warn, self._warn = self._warn, None
        if warn is not None:
            warn(printable(record.getMessage()))


def _forward_warnings(warn: Callable[[str], None]) -> None:
    """Redirect the library's warnings to ``warn`` instead of standard error."""
    logger = logging.getLogger(LIBRARY)
    logger.propagate = False
    logger.addHandler(_WarningHandler(warn))
