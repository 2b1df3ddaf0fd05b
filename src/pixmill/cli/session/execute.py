"""Executes a run for ``run`` and ``retry``: observers, signals, progress, and the summary at the end."""

import os
import sys
import time
from contextlib import ExitStack

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.plan import Plan
from pixmill.batch.profiling import Profiling
from pixmill.batch.progress.progress import Progress
from pixmill.batch.run import BatchRun, open_run
from pixmill.cli.console import Console, print_error
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import RunOutput
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.written_files import check_files
from pixmill.cli.progress.display import Display, printer_for
from pixmill.cli.session.first_lines import first_lines
from pixmill.cli.session.observers import RunContext, observers_for
from pixmill.cli.session.signals import handling_signals
from pixmill.cli.session.summary import MARGIN, plain_report, summary
from pixmill.core.errors import RunError
from pixmill.engine.ledger import FINISHED
from pixmill.engine.task import Failed


class RunEnd(msgspec.Struct, frozen=True):
    """How a run ended: its exit code, the number of images that failed, and its plan if it finished."""

    code: int
    failed: int
    finished: Plan | None = None


def execute_run(config: RunConfig, output: RunOutput, report_options: ReportOptions, console: Console) -> RunEnd:
    """Run ``config`` to its end, with the display and reports that the options request."""
    check_files(config, output, report_options)
    progress = Progress(time.monotonic)
    hints: dict[str, str] = {}
    stopped: RunError | None = None
    with handling_signals() as graceful_stop, Profiling(report_options.profile_path) as profiling:
        with ExitStack() as stack:
            display = Display(progress, lambda: printer_for(output, console, os.environ))
            context = RunContext(config=config, progress=progress, command=["pixmill", *sys.argv[1:]], say=display.say)
            observers = [progress, *observers_for(output, console, context)]
            run = stack.enter_context(
                open_run(config, observers=observers, command=context.command, wrap_handler=profiling.wrap_handler)
            )
            for line in () if output.quiet else first_lines(run):
                console.say(line, margin=MARGIN)
            stack.enter_context(display)
            display.count_ahead(run.plan.work_total)
            graceful_stop.attach(run, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                _follow(run, hints)
            except RunError as error:
                stopped = error
        report = run.report()
        if output.json:
            console.record({"event": "report", **plain_report(report)})
        if not output.quiet:
            for line in summary(report, config, hints):
                console.say(line, margin=MARGIN)
        try:
            profiling.write()
            report_options.write(config, run.plan.locations.state)
        except RunError as error:
            stopped = stopped or error
    if stopped is not None:
        print_error(stopped, console)
        return RunEnd(ExitCode.STOPPED, report.counts.failed)
    return RunEnd(report.exit_code, report.counts.failed, run.plan if report.reason == FINISHED else None)


def _follow(run: BatchRun, hints: dict[str, str]) -> None:
    """Iterate over ``run`` to its end, and store in ``hints`` the first hint for each error code."""
    for outcome in run:
        if isinstance(outcome, Failed) and outcome.failure.hint:
            hints.setdefault(outcome.failure.code, outcome.failure.hint)
