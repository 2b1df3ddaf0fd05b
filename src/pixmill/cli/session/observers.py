"""Who writes down what happens in a run, and where, as the options of showing ask for it."""

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
from pixmill.core.endpoint import Endpoint
from pixmill.core.errors import MissingExtra
from pixmill.core.events import Event, Observer
from pixmill.core.humanize import byte_count, duration_text, plural
from pixmill.core.text import printable
from pixmill.engine.events import NodeRefused, NodeSuspended, RunStalled
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.observability.exporters.event_lines import EventFile, EventLines
from pixmill.engine.observability.exporters.failure_log import FailureLog
from pixmill.engine.observability.exporters.metrics_file import MetricsFile, as_json
from pixmill.engine.observability.metrics import Metrics, MetricsSnapshot
from pixmill.engine.observability.stalls import StallDetector

#: what a metrics file may be called for Prometheus to read it
PROMETHEUS_SUFFIXES = frozenset({".prom", ".txt"})

#: what the measures of ``batch.worker.handler`` are in Prometheus' words
MEASURES = {
    "bytes_in": "source_bytes",
    "bytes_out": "output_bytes",
    "pixels_in": "source_pixels",
    "outputs": "outputs",
}


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded: a run of ``config``, counted by ``progress``, as ``command`` asked for it in a shell.

    ``say`` prints a line beside whatever shows the run.
    """

    config: RunConfig
    progress: Progress
    command: Sequence[str]
    say: Callable[[str], None]


def observers_for(showing: RunOutput, console: Console, occasion: RunContext) -> Iterator[Observer]:
    """Yield whoever listens to a run besides its display: files, servers, and whoever tells what the display does not."""
    listeners = [*_writers(showing, console), *_exporters(showing, console, occasion)]
    yield from listeners
    told = [] if showing.quiet else [StallReporter(occasion.say)]  # what is slow has not failed
    yield StallDetector([*listeners, *told], threshold=showing.stall_after)
    yield NodeReporter(occasion.say)
    if not showing.quiet:
        yield ShardReporter(occasion.say)


class StallReporter(Observer):
    """Says in words that nothing finishes any more, and what the workers are at."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Say it with ``say``, a line at a time."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Say it when it happens."""
        if isinstance(event, RunStalled):
            self._say(f"[STALLED] nothing has finished for {duration_text(event.seconds)}; what the workers are at:")
            for post in event.posts:
                self._say(f"[STALLED]   {_at(post)}")

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


class NodeReporter(Observer):
    """Says which nodes of a cluster have no part in the run, and why: others do their work."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Say it with ``say``, a line a node."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Say it when it happens."""
        if isinstance(event, NodeRefused):
            hint = f" ({event.hint})" if event.hint else ""
            self._say(printable(f"[LEFT OUT] node {event.node}: {event.reason}{hint}"))
        elif isinstance(event, NodeSuspended):
            self._say(printable(f"[SUSPENDED] node {event.node} gets no more work: {event.reason}"))

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


class ShardReporter(Observer):
    """Says which shards of a dataset have been sealed: what a run is at when all of its images are done."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Say it with ``say``, a line a shard."""
        self._say = say

    def on_event(self, event: Event) -> None:
        """Say it when it happens."""
        if isinstance(event, ShardSealed):
            self._say(f"[SEALED] {event.name}: {plural(event.samples, 'sample')}, {byte_count(event.bytes)}")

    def close(self) -> None:
        """Hold nothing, so let go of nothing."""


def _at(post: WorkerStatus) -> str:
    stage = f", in {post.stage}" if post.stage else ""
    return f"{printable(post.key or b'')}{stage}, for {duration_text(post.seconds)} ({post.location})"


def _writers(showing: RunOutput, console: Console) -> Iterator[Observer]:
    if showing.json:
        yield EventLines(cast("TextIO", console.out), explain=unpack)  # it writes and flushes, no more
    if showing.events:
        yield EventFile(Path(showing.events), explain=unpack)
    if showing.log_file:
        yield FailureLog(Path(showing.log_file))


def _exporters(showing: RunOutput, console: Console, occasion: RunContext) -> Iterator[Observer]:
    if not (showing.metrics_file or showing.metrics_port or showing.serve or showing.otel):
        return
    metrics = Metrics()
    yield metrics
    if showing.metrics_file:
        path = Path(showing.metrics_file)
        render = _as_prometheus() if path.suffix.lower() in PROMETHEUS_SUFFIXES else as_json
        yield MetricsFile(path, metrics, render=render, interval=showing.metrics_interval)
    if showing.metrics_port:
        from pixmill.engine.observability.exporters.prometheus import MetricNames, MetricsServer  # noqa: PLC0415  # 50 ms that few runs need pay

        yield MetricsServer(showing.metrics_port, metrics, MetricNames(unit="image", measures=MEASURES))
    if showing.otel:
        yield _telemetry(metrics, occasion)
    if showing.serve:
        yield _live_page(showing.serve, metrics, console, occasion)


def _live_page(endpoint: Endpoint, metrics: Metrics, console: Console, occasion: RunContext) -> Observer:
    """Start the live page, and say where it is: the one time that its token is shown."""
    from pixmill.batch.live.live_page import LivePage  # noqa: PLC0415  # a server is 30 ms that few runs need pay

    page = LivePage(
        endpoint,
        occasion.config,
        progress=occasion.progress,
        metrics=metrics,
        exposition=_exposition,
        command=occasion.command,
    )
    console.say(f"[SERVING] {page.url}")
    return page


def _telemetry(metrics: Metrics, occasion: RunContext) -> Observer:
    try:
        from pixmill.engine.observability.exporters.otel import OtelObserver  # noqa: PLC0415  # an extra, and 300 ms
    except ImportError as error:
        raise MissingExtra("otel", "--otel") from error

    def warn(reason: str) -> None:
        occasion.say(f"[OTEL] what was to be sent is lost: {reason}")

    return OtelObserver(metrics, unit="image", measures=MEASURES, version=__version__, warn=warn)


def _exposition(snapshot: MetricsSnapshot) -> str:
    return _as_prometheus()(snapshot)


def _as_prometheus() -> Callable[[MetricsSnapshot], str]:
    from pixmill.engine.observability.exporters.prometheus import MetricNames, exposition  # noqa: PLC0415  # as above

    vocabulary = MetricNames(unit="image", measures=MEASURES)
    return lambda snapshot: exposition(snapshot, vocabulary)
