"""The observers of a run that the output options select: event files, logs, metrics, servers and messages."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO, cast

import msgspec

from pixmill import __version__
from pixmill.batch.config.models import RunConfig
from pixmill.batch.datasets.events import ShardSealed
from pixmill.batch.item import unpack
from pixmill.batch.progress.progress import Progress
from pixmill.cli.console import Console
from pixmill.cli.options.output import RunOutput
from pixmill.cli.session.followable_hints import FollowableHints
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import MissingExtra
from pixmill.core.events import Event, Observer
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable
from pixmill.engine.events import NodeRefused, NodeSuspended, RunStalled, StoreHeld, StoreRecovered
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.observability.exporters.event_lines import EventFile, EventLines
from pixmill.engine.observability.exporters.failure_log import FailureLog
from pixmill.engine.observability.exporters.metrics_file import MetricsFile, as_json
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.observability.publisher import IgnoresUnchanged
from pixmill.engine.observability.stalls import StallDetector

#: file extensions for which the metrics file is written in Prometheus format
PROMETHEUS_SUFFIXES = frozenset({".prom", ".txt"})

#: Prometheus metric names of the measures of ``batch.worker.handler``
MEASURES = {
    "bytes_in": "source_bytes",
    "bytes_out": "output_bytes",
    "pixels_in": "source_pixels",
    "outputs": "outputs",
}


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """A run of ``config``, counted by ``progress``; ``command`` is the command line that started it.

    ``say`` prints a line without disturbing the progress display.
    """

    config: RunConfig
    progress: Progress
    command: Sequence[str]
    say: Callable[[str], None]


def observers_for(output: RunOutput, console: Console, context: RunContext) -> Iterator[Observer]:
    """Yield all observers of a run except its progress display: files, servers, and messages."""
    writers = [FollowableHints(each, context.config) for each in _writers(output, console)]
    observers = [*writers, *_exporters(output, console, context)]
    yield from observers
    reporters = [] if output.quiet else [StallReporter(context.say)]  # a stall is not a failure, so --quiet hides it
    yield StallDetector([*observers, *reporters], threshold=output.stall_after)
    yield NodeReporter(context.say)
    yield StoreReporter(context.say)
    if not output.quiet:
        yield ShardReporter(context.say)


class StallReporter(Observer):
    """Prints a message when nothing finishes any more, and what each worker is doing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Print with ``say``, one line per call."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Print the lines of a ``RunStalled`` event."""
        if isinstance(event, RunStalled):
            self._say(f"[STALLED] nothing has finished for {duration_text(event.seconds)}; the workers are processing:")
            for worker in event.posts:
                self._say(f"[STALLED]   {_worker_text(worker)}")

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class NodeReporter(IgnoresUnchanged, Observer):
    """Prints the cluster nodes that are excluded from the run, and the reason; other nodes do their work."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Print with ``say``, one line per node."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Print a line when a node is refused or suspended."""
        if isinstance(event, NodeRefused):
            hint = f" ({event.hint})" if event.hint else ""
            self._say(printable(f"[LEFT OUT] node {event.node}: {event.reason}{hint}"))
        elif isinstance(event, NodeSuspended):
            self._say(printable(f"[SUSPENDED] node {event.node} gets no more work: {event.reason}"))

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class StoreReporter(IgnoresUnchanged, Observer):
    """Prints that the run waits for a store, and when it goes on."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Print with ``say``, one line per event."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Print a line when work begins or ceases to wait."""
        if isinstance(event, StoreHeld):
            self._say(printable(f"[WAITING] for the store, up to {duration_text(event.timeout)} (--store-timeout): {event.reason}"))
        elif isinstance(event, StoreRecovered):
            self._say(f"[RESUMED] after {duration_text(event.seconds)} of waiting for the store")

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class ShardReporter(IgnoresUnchanged, Observer):
    """Prints the dataset shards as they are sealed, which continues after all images of a run are done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Print with ``say``, one line per shard."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Print a line when a shard is sealed."""
        if isinstance(event, ShardSealed):
            self._say(f"[SEALED] {event.name}: {plural(event.samples, 'sample')}, {byte_count(event.bytes)}")

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _worker_text(worker: WorkerStatus) -> str:
    stage = f", in {worker.stage}" if worker.stage else ""
    return f"{printable(worker.key or b'')}{stage}, for {duration_text(worker.seconds)} ({worker.location})"


def _writers(output: RunOutput, console: Console) -> Iterator[Observer]:
    if output.json:
        yield EventLines(cast("TextIO", console.out), explain=unpack)  # only writes and flushes
    if output.events:
        yield EventFile(Path(output.events), explain=unpack)
    if output.log_file:
        yield FailureLog(Path(output.log_file))


def _exporters(output: RunOutput, console: Console, context: RunContext) -> Iterator[Observer]:
    if not (output.metrics_file or output.metrics_port or output.serve or output.otel):
        return
    metrics = Metrics()
    yield metrics
    if output.metrics_file:
        path = Path(output.metrics_file)
        render = _as_prometheus() if path.suffix.lower() in PROMETHEUS_SUFFIXES else as_json
        yield MetricsFile(path, metrics, render=render, interval=output.metrics_interval)
    if output.metrics_port:
        from pixmill.engine.observability.exporters.prometheus import MetricNames, MetricsServer  # noqa: PLC0415  # 50 ms that few runs need

        yield MetricsServer(output.metrics_port, metrics, MetricNames(unit="image", measures=MEASURES))
    if output.otel:
        yield _telemetry(metrics, context)
    if output.serve:
        yield _live_page(output.serve, metrics, console, context)


def _live_page(endpoint: Endpoint, metrics: Metrics, console: Console, context: RunContext) -> Observer:
    """Start the live page and print its URL, the only place where its token is shown."""
    from pixmill.batch.live.live_page import LivePage  # noqa: PLC0415  # importing a server takes 30 ms that few runs need

    page = LivePage(
        endpoint,
        context.config,
        progress=context.progress,
        metrics=metrics,
        exposition=_exposition,
        command=context.command,
    )
    console.say(f"[SERVING] {page.url}")
    return page


def _telemetry(metrics: Metrics, context: RunContext) -> Observer:
    try:
        from pixmill.engine.observability.exporters.otel import OtelObserver  # noqa: PLC0415  # an extra, and 300 ms
    except ImportError as error:
        raise MissingExtra("otel", "--otel") from error

    def warn(reason: str) -> None:
        context.say(f"[OTEL] export failed, telemetry was lost: {reason}")

    return OtelObserver(metrics, unit="image", measures=MEASURES, version=__version__, warn=warn)


def _exposition(snapshot: MetricsSnapshot) -> str:
    return _as_prometheus()(snapshot)


def _as_prometheus() -> Callable[[MetricsSnapshot], str]:
    from pixmill.engine.observability.exporters.prometheus import MetricNames, exposition  # noqa: PLC0415  # as above

    names = MetricNames(unit="image", measures=MEASURES)
    return lambda snapshot: exposition(snapshot, names)
