"""The options of showing: what a command prints, and what a run writes about itself."""

from typing import Annotated, Literal

from msgspec import Meta

from pixmill.batch.config.options import Option
from pixmill.cli.command import declared
from pixmill.core.endpoint import Endpoint
from pixmill.core.model import Model
from pixmill.core.units import Duration

SHOW = "What to show"


class CommonOutput(Model, frozen=True, kw_only=True):
    """What every command has."""

    json: Annotated[bool, Meta(description="results as JSON, one record a line")] = False
    debug: Annotated[bool, Meta(description="show the traceback of an unexpected error")] = False


class RunOutput(CommonOutput, frozen=True, kw_only=True):
    """How a run is shown."""

    progress: Annotated[
        Literal["auto", "bar", "plain", "none"], Meta(description="auto: a bar on a terminal, else plain lines")
    ] = "auto"
    quiet: Annotated[
        bool, Meta(description="no progress and no summary; only errors, and how many images failed (in watch: which)")
    ] = False
    log_file: Annotated[
        str | None,
        Meta(description="write one line a failure here; as JSON when it ends in .json or .jsonl", extra={"value": "FILE"}),
    ] = None
    events: Annotated[str | None, Meta(description="write what happens here, one JSON record a line", extra={"value": "FILE"})] = (
        None
    )
    metrics_file: Annotated[
        str | None,
        Meta(description="keep the counters of the run here; for Prometheus when it ends in .prom", extra={"value": "FILE"}),
    ] = None
    metrics_port: Annotated[
        Endpoint | None, Meta(description="serve the counters to Prometheus; only this machine may ask unless an address is given")
    ] = None
    serve: Annotated[
        Endpoint | None,
        Meta(
            description="show the run as a live page; only to this machine unless an address is given (alone: port 8642)",
            extra={"value": "[PORT]", "alone": "8642"},
        ),
    ] = None
    otel: Annotated[
        bool,
        Meta(description="send traces and metrics by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says (extra otel)"),
    ] = False
    stall_after: Annotated[Duration, Meta(description="time without a result after which it is said what the workers are at")] = (
        Duration(30)
    )
    metrics_interval: Annotated[Duration, Meta(description="time between two writes of the metrics file")] = Duration(10)


class State(Model, frozen=True, kw_only=True):
    """Where a command that asks about an earlier run finds its ledger."""

    state: Annotated[str | None, Meta(description="folder of the ledger, where the run had --state", extra={"value": "FOLDER"})] = (
        None
    )


def run_output_options() -> dict[str, Option]:
    """Return the options of a command that asks about an earlier run."""
    return {**declared("Where to look", State), **declared(SHOW, CommonOutput)}
