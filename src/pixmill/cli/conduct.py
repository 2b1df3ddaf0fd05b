"""Sees a run through: observers, signals, progress, and the summary at the end. What ``run`` and ``retry`` share."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO, cast

from pixmill.batch.config import RunConfig
from pixmill.batch.item import unpack
from pixmill.batch.run import BatchRun, open_run
from pixmill.cli.console import Console
from pixmill.cli.display import Display, printer_for
from pixmill.cli.exits import Exit
from pixmill.cli.interruption import interruptible
from pixmill.cli.progress import Progress
from pixmill.cli.sentence import say_error
from pixmill.cli.showing import Showing
from pixmill.cli.summary import plain_report, summary
from pixmill.core.errors import RunError
from pixmill.core.events import Observer
from pixmill.engine.exporters.json import MetricsFile
from pixmill.engine.exporters.jsonl import EventLines
from pixmill.engine.exporters.log import FailureLog
from pixmill.engine.metrics import Metrics
from pixmill.engine.task import Failed


def conduct(config: RunConfig, showing: Showing, console: Console) -> int:
    """Run ``config`` to its end, shown as ``showing`` says, and return the exit code."""
    progress = Progress(time.monotonic)
    hints: dict[str, str] = {}
    stopped: RunError | None = None
    with interruptible() as interruption:
        with ExitStack() as stack:
            run = stack.enter_context(open_run(config, observers=[progress, *recorders(showing, console)]))
            display = stack.enter_context(Display(progress, printer_for(showing, console, os.environ)))
            display.count_ahead(run.plan.count)
            interruption.stops(run, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                _follow(run, hints)
            except RunError as error:
                stopped = error
        report = run.report()
        if showing.json:
            console.record({"event": "report", **plain_report(report)})
        if not showing.quiet:
            for line in summary(report, config, hints):
                console.say(line)
    if stopped is not None:
        say_error(stopped, console)
        return Exit.STOPPED
    return report.exit_code


def _follow(run: BatchRun, hints: dict[str, str]) -> None:
    """See ``run`` through, and keep in ``hints`` the first advice on each code of failure."""
    for outcome in run:
        if isinstance(outcome, Failed) and outcome.failure.hint:
            hints.setdefault(outcome.failure.code, outcome.failure.hint)


def recorders(showing: Showing, console: Console) -> Iterator[Observer]:
    """Yield whoever writes down what happens."""
    if showing.json:
        yield EventLines(cast("TextIO", console.out), explain=unpack)  # it writes and flushes, no more
    if showing.log_file:
        yield FailureLog(Path(showing.log_file))
    if showing.metrics_file:
        metrics = Metrics()
        yield metrics
        yield MetricsFile(Path(showing.metrics_file), metrics, interval=showing.metrics_interval)
