"""``pixmill watch``: a hot folder."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

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
from pixmill.cli.session.summary import MARGIN, plain_report, summary
from pixmill.core.errors import RunError
from pixmill.core.events import Observer
from pixmill.core.model import Model


class HealthOption(Model, frozen=True, kw_only=True):
    """Whether to ask about a watcher instead of being one."""

    health: Annotated[bool, Meta(description="end with 0 if a watcher of SRC and DST is alive, else with 3; writes nothing")] = (
        False
    )


class Watch(Command):
    """Process the images in SRC into DST, then those that arrive.

    Goes on until it is stopped. An image is touched only once it is whole: when its size and time have stayed the same for
    --settle, and nobody is known to write it. Names ending in .part, .tmp, .crdownload and the like are left alone until they
    are renamed. What is done, changed or failed is kept as by ``pixmill run``, so either goes on where the other was. A failed
    image is tried again when it changes.

    The file of --recipe is read again when it changes.

    Exit codes: 0 stopped, and everything that was begun is finished; 2 wrong usage; 3 the environment stopped the watch
    (disk full, output not writable); 130 and 143 stopped before all was finished, to be resumed.
    """

    arguments: ClassVar = (SRC, DST)
    examples: ClassVar = (
        "pixmill watch inbox out --size 800x600",
        "pixmill watch inbox out --move-done done --move-failed failed",
        "pixmill watch photos out --mirror --settle 10s",
    )

    @classmethod
    def options(cls) -> dict[str, Option]:
        """Return the options of watching, every option of a run, and those of showing it."""
        watching = declared("How to watch", WatchOptions, HealthOption)
        return {**watching, **run_options(), **declared(SHOW, RunOutput), **declared(SHOW, ReportOptions, without={"profile"})}

    def execute(self) -> int:
        """Watch, or ask about a watcher."""
        if self.request.model(HealthOption).health:
            return self._check()
        showing, reporting = self.request.model(RunOutput), self.request.model(ReportOptions)
        config = config_from(self.request)
        check_files(config, showing, reporting)
        write_report = partial(reporting.write, config, resolve_locations(config).state)
        progress = Progress(time.monotonic)
        printer = NoProgress(self.console.err) if showing.quiet or showing.progress == "none" else WatchLines(self.console.err)
        stopped: RunError | None = None
        with handling_signals() as interruption, ExitStack() as stack:
            display = stack.enter_context(Display(progress, lambda: printer))
            occasion = RunContext(config=config, progress=progress, command=["pixmill", *sys.argv[1:]], say=display.say)
            observers = [progress, *observers_for(showing, self.console, occasion), *self._listeners(occasion, write_report)]
            watcher = Watcher(
                lambda: config_from(self.request), self.request.model(WatchOptions), files=list(self._files()), observers=observers
            )
            interruption.attach(watcher, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                for _ in watcher:
                    pass
                write_report()
            except RunError as error:
                stopped = error
        return self._conclude(watcher, showing, stopped)

    def _listeners(self, occasion: RunContext, write_report: Callable[[], None]) -> Iterator[Observer]:
        """Yield who else hears of a watch: what says it in words, and what keeps the report up to date."""
        is_quiet = self.request.model(RunOutput).quiet
        yield WatchWarnings(occasion.say) if is_quiet else WatchMessages(occasion.progress, occasion.say)
        if self.request.model(ReportOptions).report:
            yield ReportRefresher(write_report)

    def _conclude(self, watcher: Watcher, showing: RunOutput, stopped: RunError | None) -> int:
        report = watcher.report()
        if showing.json:
            self.console.record({"event": "report", **plain_report(report)})
        if not showing.quiet:
            for line in summary(report, config_from(self.request), {}):
                self.console.say(line, margin=MARGIN)
        if stopped is not None:
            print_error(stopped, self.console)
            return ExitCode.STOPPED
        return report.exit_code if report.counts.pending else ExitCode.DONE

    def _check(self) -> int:
        trouble = liveness_problem(resolve_locations(config_from(self.request)).state)
        self.console.say(trouble or "alive")
        return ExitCode.STOPPED if trouble else ExitCode.DONE

    def _files(self) -> Iterator[Path]:
        """Yield the file that says what to make, if there is one."""
        recipe = self.request.values.get("recipe")
        if isinstance(recipe, str):
            yield Path(recipe)
