"""The options for output and monitoring: what a command prints, and the logs, metrics and events that a run writes."""

from typing import Annotated, Literal

from msgspec import Meta

from pixmill.batch.config.options import Option
from pixmill.cli.command import declared
from pixmill.core.endpoint import Endpoint
from pixmill.core.model import Model
from pixmill.core.units import TimeLimit

SHOW = "Display and monitoring"
LEDGER = "Ledger options"
SELECTION = "Selection options"


class CommonOutput(Model, frozen=True, kw_only=True):
    """The options of every command."""

    json: Annotated[bool, Meta(description="print results as JSON, one record per line")] = False
    debug: Annotated[bool, Meta(description="print the traceback of an unexpected error")] = False


class RunOutput(CommonOutput, frozen=True, kw_only=True):
    """Progress, logs, metrics and events of a run."""

    progress: Annotated[
        Literal["auto", "bar", "plain", "none"],
        Meta(
            description="progress display; auto is a bar on a terminal and plain lines otherwise",
            extra={"synonyms": {"off": "none", "no": "none", "lines": "plain", "on": "auto"}},
        ),
    ] = "auto"
    quiet: Annotated[
        bool,
        Meta(description="no progress and no summary; print only errors and the number of failed images (watch: their names)"),
    ] = False
    log_file: Annotated[
        str | None,
        Meta(description="write one line per failure to this file; JSON if it ends in .json or .jsonl", extra={"value": "FILE"}),
    ] = None
    events: Annotated[
        str | None, Meta(description="write all events to this file, one JSON record per line", extra={"value": "FILE"})
    ] = None
    metrics_file: Annotated[
        str | None,
        Meta(
            description="write metrics to this file during the run; in Prometheus format if it ends in .prom",
            extra={"value": "FILE"},
        ),
    ] = None
    metrics_port: Annotated[
        Endpoint | None, Meta(description="serve metrics to Prometheus on this port; local only, unless an address is given")
    ] = None
    serve: Annotated[
        Endpoint | None,
        Meta(
            description="serve a live page on this port (8642 if omitted); local only, unless an address is given",
            extra={"value": "[PORT]", "alone": "8642"},
        ),
    ] = None
    otel: Annotated[
        bool,
        Meta(description="export traces and metrics over OpenTelemetry to OTEL_EXPORTER_OTLP_ENDPOINT (needs the extra otel)"),
    ] = False
    stall_after: Annotated[TimeLimit, Meta(description="report what the workers are doing after this long without a result")] = (
        TimeLimit(30)
    )
    metrics_interval: Annotated[TimeLimit, Meta(description="time between writes of the metrics file")] = TimeLimit(10)


class State(Model, frozen=True, kw_only=True):
    """The location of the ledger of an earlier run."""

    state: Annotated[str | None, Meta(description="folder of the ledger, if the run used --state", extra={"value": "FOLDER"})] = (
        None
    )


class FailureFilter(Model, frozen=True, kw_only=True):
    """Selects failures by code."""

    code: Annotated[str | None, Meta(description="only failures with this error code", extra={"value": "CODE"})] = None


def run_output_options() -> dict[str, Option]:
    """Return the options of a command about an earlier run."""
    return {**declared(LEDGER, State), **declared(SHOW, CommonOutput)}
