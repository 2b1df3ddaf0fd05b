"""Executes a run for ``run`` and ``retry``: observers, signals, progress, and the summary at the end."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.empty_source import NoImages
from pixmill.batch.profiling import Profiling
from pixmill.batch.progress.progress import Progress
from pixmill.batch.report.summary import Report
from pixmill.batch.run import BatchRun, open_run
from pixmill.cli.console import Console, print_error
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import RunOutput
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.written_files import check_files
from pixmill.cli.progress.display import Display, printer_for
from pixmill.cli.session.first_lines import first_lines
from pixmill.cli.session.observers import RunContext, observers_for
from pixmill.cli.session.sample import sample_summary, with_command
from pixmill.cli.session.signals import handling_signals
from pixmill.cli.session.summary import MARGIN, command_arguments, plain_report, summary
from pixmill.core.errors import RunError
from pixmill.engine.task import Counts, Failed


class RunEnd(msgspec.Struct, frozen=True):
    """How a run ended: its exit code, the number of images that failed, and the shell arguments that name its ledger."""

    code: int
    failed: int
    arguments: str


def execute_run(config: RunConfig, output: RunOutput, report_options: ReportOptions, console: Console) -> RunEnd:
    """Run ``config`` to its end, with the display and reports that the options request."""
    check_files(config, output, report_options)
    progress = Progress(time.monotonic)
    hints: dict[str, str] = {}
    stopped: RunError | None = None
    with handling_signals() as graceful_stop, Profiling(report_options.profile_path) as profiling:
        with ExitStack() as stack:
            display = Display(progress, lambda: printer_for(output, console, os.environ), console.words)
            context = RunContext(config=config, progress=progress, command=["pixmill", *sys.argv[1:]], say=display.say)
            observers = [progress, *observers_for(output, console, context)]
            try:
                run = stack.enter_context(
                    open_run(
                        config,
                        observers=observers,
                        command=context.command,
                        wrap_handler=profiling.wrap_handler,
                        on_wait=console.waits.begin,
                    )
                )
            except NoImages as nothing:
                if output.json:
                    report = Report(counts=Counts(), ignored=nothing.ignored, patterns=nothing.patterns, reason=nothing.code)
                    console.record({"event": "report", **plain_report(report)})
                raise
            console.waits.end()
            stack.callback(console.waits.begin, lambda: f"closing the run of {config.destination}")
            for line in () if output.quiet else first_lines(run):
                console.say(line, margin=MARGIN)
            stack.enter_context(display)
            if run.choice is None:
                display.count_ahead(run.plan.work_total)
            graceful_stop.attach(run, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                _follow(run, hints)
            except RunError as error:
                stopped = error
        console.waits.end()
        report = with_command(run.report(), sys.argv[1:], os.environ)
        if output.json:
            console.record({"event": "report", **plain_report(report)})
        for line in () if output.quiet else _summary(report, config, hints):
            console.say(line, margin=MARGIN)
        try:
            profiling.write()
            console.waits.begin(lambda: "writing the report")
            options = report_options.of_sample(run.report_path) if report.sample else report_options
            options.write(run.plan.config, run.plan.locations.state)
        except RunError as error:
            stopped = stopped or error
    if stopped is not None:
        print_error(stopped, console)
    arguments = command_arguments(run.plan.config.destination, run.plan.config.placement.state)
    return RunEnd(ExitCode.STOPPED if stopped else report.exit_code, report.counts.failed, arguments)


def _summary(report: Report, config: RunConfig, hints: Mapping[str, str]) -> Iterator[str]:
    if report.sample is None:
        return summary(report, config, hints)
    return sample_summary(report, report.sample, hints, destination=config.destination)


def _follow(run: BatchRun, hints: dict[str, str]) -> None:
    """Iterate over ``run`` to its end, and store in ``hints`` the first hint for each error code."""
    for outcome in run:
        if isinstance(outcome, Failed) and outcome.failure.hint:
            hints.setdefault(outcome.failure.code, outcome.failure.hint)
