"""Checks of all files that the options of a run write, made together before anything runs."""

from collections.abc import Iterator
from pathlib import Path

from pixmill.batch.config.models import RunConfig
from pixmill.batch.config.target_file import target_file
from pixmill.batch.outputs.named_files import NamedFile, check, states_of
from pixmill.batch.planning.locations import state_folders
from pixmill.cli.options.output import RunOutput
from pixmill.cli.options.report import ReportOptions
from pixmill.core.errors import ConfigError
from pixmill.core.text import printable


def check_files(config: RunConfig, output: RunOutput, report_options: ReportOptions) -> None:
    """Raise ``ConfigError`` if an option names a file that must not or cannot be written."""
    report_options.check()
    if report_options.report and target_file(config.destination):
        message = f"--report needs a folder as DST: no state is kept for {printable(config.destination)}, which looks like a file"
        raise ConfigError(message, hint="leave out --report")
    check(_named_files(config, output, report_options), sources=config.sources, states=states_of(*state_folders(config)))


def _named_files(config: RunConfig, output: RunOutput, report_options: ReportOptions) -> Iterator[NamedFile]:
    for option, path, kind in (
        ("--index", config.placement.index, "index"),
        ("--report", report_options.report, "report"),
        ("--events", output.events, "events"),
        ("--log-file", output.log_file, "log"),
        ("--metrics-file", output.metrics_file, "metrics"),
        ("--profile", report_options.profile, "profile"),
    ):
        if path:
            yield NamedFile(option, Path(path), kind)
