"""Executes a run for ``run`` and ``retry``: observers, signals, progress, and the summary at the end."""

import os
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from pixmill.batch.batch_run import BatchRun
from pixmill.batch.config.hints import Hints, command_arguments, with_arguments
from pixmill.batch.config.models import RunConfig
from pixmill.batch.outputs.repair import Repair
from pixmill.batch.planning.empty_source import NoImages
from pixmill.batch.planning.plan import Plan
from pixmill.batch.profiling import Profiling
from pixmill.batch.progress.progress import Progress
from pixmill.batch.report.summary import Report
from pixmill.batch.run import open_run
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
from pixmill.cli.session.summary import MARGIN, plain_report, single_summary, summary
from pixmill.core.errors import RunError
from pixmill.engine.ledger import FINISHED
from pixmill.engine.task import Counts, Failed, Failure


class RunEnd(msgspec.Struct, frozen=True):
    """How a run ended: its exit code, the number of failed images that its ledger lists, and the arguments that name the ledger.

    ``finished`` is its plan if it finished, and made more than a sample or a single file.
    """

    code: int
    failed: int
    arguments: str
    finished: Plan | None = None


def execute_run(
    config: RunConfig,
    output: RunOutput,
    report_options: ReportOptions,
    console: Console,
    *,
    only_unfinished: bool = False,
    repair: Repair | None = None,
) -> RunEnd:
    """Run ``config`` to its end, with the display and reports that the options request.

    ``only_unfinished``: process only the images that the ledger records as failed or pending; with ``repair`` only its images.
    """
    check_files(config, output, report_options)
    progress = Progress(time.monotonic)
    hints = Hints()
    stopped: RunError | None = None
    failure: Failure | None = None
    with handling_signals() as graceful_stop, Profiling(report_options.profile_path) as profiling:
        with ExitStack() as stack:
            display = Display(progress, lambda: printer_for(output, console, os.environ), console.words)
            context = RunContext(config=config, progress=progress, command=["pixmill", *sys.argv[1:]], say=display.say)
            observers = [progress, *observers_for(output, console, context)]
            with _reporting_no_images(console, as_json=output.json):
                run = stack.enter_context(
                    open_run(
                        config,
                        observers=observers,
                        command=context.command,
                        wrap_handler=profiling.wrap_handler,
                        on_wait=console.waits.begin,
                        only_unfinished=only_unfinished,
                        repair=repair,
                    )
                )
            console.waits.end()
            stack.callback(console.waits.begin, lambda: f"closing the run of {config.destination}")
            for line in () if output.quiet else first_lines(run):
                console.say(line, margin=MARGIN)
            if run.plan.locations.target is None:
                stack.enter_context(display)
                if repair is None and run.choice is None and (not output.quiet or output.serve):
                    display.count_ahead(run.work_total)
            graceful_stop.attach(run, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                failure = _follow(run, hints)
            except RunError as error:
                stopped = error
        console.waits.end()
        report = with_command(run.report(), sys.argv[1:], os.environ)
        if output.json:
            console.record({"event": "report", **plain_report(report)})
        is_single = run.plan.locations.target is not None
        lines = single_summary(report, config, failure) if is_single else _summary(report, config, hints)
        printed = () if output.quiet and not (is_single and failure) else tuple(lines)
        for line in printed:
            console.say(line, margin=MARGIN)
        try:
            profiling.write()
            console.waits.begin(lambda: "writing the report")
            options = report_options.of_sample(run.report_path) if report.sample else report_options
            options.write(run.plan.config, run.plan.locations.state)
        except RunError as error:
            stopped = stopped or error
    arguments = command_arguments(run.plan.config.destination, run.plan.config.placement.state)
    if stopped is not None:
        if report.sample is None:
            stopped.hint = _without_printed(with_arguments(stopped.hint, arguments), printed)
        print_error(stopped, console)
    is_finished = stopped is None and report.reason == FINISHED and not is_single and report.sample is None
    return RunEnd(
        ExitCode.STOPPED if stopped else report.exit_code,
        0 if is_single else report.counts.failed,
        arguments,
        run.plan if is_finished else None,
    )


@contextmanager
def _reporting_no_images(console: Console, *, as_json: bool) -> Iterator[None]:
    """Print a report with ``as_json`` also when there is nothing to do."""
    try:
        yield
    except NoImages as nothing:
        if as_json:
            report = Report(
                counts=Counts(),
                ignored=nothing.ignored,
                other_images=nothing.other_images,
                patterns=nothing.patterns,
                reason=nothing.code,
            )
            console.record({"event": "report", **plain_report(report)})
        raise


def _summary(report: Report, config: RunConfig, hints: Hints) -> Iterator[str]:
    if report.sample is None:
        return summary(report, config, hints)
    return sample_summary(report, report.sample, hints, destination=config.destination)


def _without_printed(hint: str, printed: Collection[str]) -> str:
    """Return ``hint`` without the parts that are lines of the summary already."""
    lines = {line.strip() for line in printed}
    return "; ".join(part for part in hint.split("; ") if part not in lines)


def _follow(run: BatchRun, hints: Hints) -> Failure | None:
    """Iterate over ``run`` to its end, add the hint of each failure to ``hints``, and return the last failure."""
    failure = None
    for outcome in run:
        if isinstance(outcome, Failed):
            failure = outcome.failure
            hints.add(failure)
    return failure
