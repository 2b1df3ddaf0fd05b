"""``pixmill watch``: watches a hot folder."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from pixmill.batch.config.answers import ONLY_OF_A_RUN
from pixmill.batch.config.hints import command_arguments, with_arguments
from pixmill.batch.config.options import Option
from pixmill.batch.planning.locations import resolve_locations
from pixmill.batch.progress.progress import Progress
from pixmill.batch.watch.heartbeat import liveness_problem
from pixmill.batch.watch.options import WatchOptions
from pixmill.batch.watch.watch import Watch as Watcher
from pixmill.cli.command import Command, declared
from pixmill.cli.console import print_error
from pixmill.cli.exit_codes import ExitCode
from pixmill.cli.options.output import SHOW, RunOutput
from pixmill.cli.options.report import ReportOptions
from pixmill.cli.options.run import DST, SRC, config_from, run_options
from pixmill.cli.options.written_files import check_files
from pixmill.cli.progress.display import Display, NoProgress
from pixmill.cli.progress.watch import WatchLines, WatchMessages, WatchWarnings
from pixmill.cli.session.observers import RunContext, observers_for
from pixmill.cli.session.report_refresher import ReportRefresher
from pixmill.cli.session.signals import handling_signals
from pixmill.cli.session.summary import MARGIN, plain_report, watch_summary
from pixmill.core.errors import RunError
from pixmill.core.events import Observer
from pixmill.core.model import Model

WATCHED = msgspec.structs.replace(SRC, description="local folder to watch", repeatable=False, is_folder=True)


class HealthOption(Model, frozen=True, kw_only=True):
    """Whether to check for a running watch instead of starting one."""

    health: Annotated[
        bool, Meta(description="exit with 0 if a watch of SRC and DST is running, with 3 otherwise; writes nothing")
    ] = False


class Watch(Command):
    """Process the images in SRC into DST, and new ones as they arrive.

    Runs until stopped. An image is processed only when it is complete: its size and modification time have not changed for
    --settle, and no process is known to be writing it. Names that end in .part, .tmp, .crdownload and similar are ignored until
    they are renamed. The ledger is the same as that of ``pixmill run``, so each command resumes where the other stopped. A failed
    image is retried when it changes.

    The --recipe file is read again when it changes.

    Exit codes: 0 stopped, and all started images are finished; 2 invalid usage; 3 the environment stopped the watch (disk full,
    output not writable); 130 and 143 stopped before all images were finished, run again to resume.
    """

    arguments: ClassVar = (WATCHED, DST)
    examples: ClassVar = (
        "pixmill watch inbox out --size 800x600",
        "pixmill watch inbox out --move-done done --move-failed failed",
        "pixmill watch photos out --mirror --settle 10s",
    )

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of a watch, the options of a run that fit it, and those for monitoring it."""
        watching = declared("Watch options", WatchOptions, HealthOption)
        return {
            **watching,
            **run_options(without=ONLY_OF_A_RUN),
            **declared(SHOW, RunOutput),
            **declared(SHOW, ReportOptions, without={"profile"}),
        }

    def execute(self) -> int:
        """Watch, or check for a running watch."""
        if self.request.model(HealthOption).health:
            return self._check_health()
        output, report_options = self.request.model(RunOutput), self.request.model(ReportOptions)
        config = config_from(self.request)
        check_files(config, output, report_options)
        write_report = partial(report_options.write, config, resolve_locations(config).state)
        progress = Progress(time.monotonic)
        printer = NoProgress(self.console.err) if output.quiet or output.progress == "none" else WatchLines(self.console.err)
        stopped: RunError | None = None
        with handling_signals() as graceful_stop, ExitStack() as stack:
            display = stack.enter_context(Display(progress, lambda: printer, self.console.words))
            context = RunContext(config=config, progress=progress, command=["pixmill", *sys.argv[1:]], say=display.say)
            observers = [progress, *observers_for(output, self.console, context), *self._watch_observers(context, write_report)]
            watcher = Watcher(
                lambda: config_from(self.request), self.request.model(WatchOptions), files=list(self._files()), observers=observers
            )
            graceful_stop.attach(watcher, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                for _ in watcher:
                    pass
                write_report()
            except RunError as error:
                stopped = error
        return self._conclude(watcher, output, stopped)

    def _watch_observers(self, context: RunContext, write_report: Callable[[], None]) -> Iterator[Observer]:
        """Yield the observers that only a watch has: one prints messages, the other keeps the report up to date."""
        is_quiet = self.request.model(RunOutput).quiet
        yield WatchWarnings(context.say) if is_quiet else WatchMessages(context.progress, context.say)
        if self.request.model(ReportOptions).report:
            yield ReportRefresher(write_report)

    def _conclude(self, watcher: Watcher, output: RunOutput, stopped: RunError | None) -> int:
        report = watcher.report()
        if output.json:
            self.console.record({"event": "report", **plain_report(report)})
        if not output.quiet:
            for line in watch_summary(report, config_from(self.request)):
                self.console.say(line, margin=MARGIN)
        if stopped is not None:
            config = config_from(self.request)
            stopped.hint = with_arguments(stopped.hint, command_arguments(config.destination, config.placement.state))
            print_error(stopped, self.console)
            return ExitCode.STOPPED
        return report.exit_code if report.counts.pending else ExitCode.DONE

    def _check_health(self) -> int:
        problem = liveness_problem(resolve_locations(config_from(self.request)).state)
        self.console.say(problem or "running")
        return ExitCode.STOPPED if problem else ExitCode.DONE

    def _files(self) -> Iterator[Path]:
        """Yield the recipe file, if there is one."""
        recipe = self.request.values.get("recipe")
        if isinstance(recipe, str):
            yield Path(recipe)
