"""The files that a command line names to be written, checked together before anything runs."""

from collections.abc import Iterator
from pathlib import Path

from pixmill.batch.config.models import RunConfig
from pixmill.batch.outputs.named_files import NamedFile, check, states_of
from pixmill.batch.planning.locations import state_folders
from pixmill.cli.options.output import RunOutput
from pixmill.cli.options.report import ReportOptions


def check_files(config: RunConfig, showing: RunOutput, reporting: ReportOptions) -> None:
    """Raise ``ConfigError`` when an option of a run names a file that may not be written, or that cannot be."""
    reporting.check()
    check(_named(config, showing, reporting), source=config.source, states=states_of(*state_folders(config)))


def _named(config: RunConfig, showing: RunOutput, reporting: ReportOptions) -> Iterator[NamedFile]:
    for option, path, kind in (
        ("--index", config.placement.index, "index"),
        ("--report", reporting.report, "report"),
        ("--events", showing.events, "events"),
        ("--log-file", showing.log_file, "log"),
        ("--metrics-file", showing.metrics_file, "metrics"),
        ("--profile", reporting.profile, "profile"),
    ):
        if path:
            yield NamedFile(option, Path(path), kind)
