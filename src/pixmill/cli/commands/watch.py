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
from pixmill.batch.planning.locations import find
from pixmill.batch.progress.progress import Progress
from pixmill.batch.watch.heartbeat import why_not_alive
from pixmill.batch.watch.options import Watching
from pixmill.batch.watch.watch import Watch as Watcher
from pixmill.cli.command import Command, declared
from pixmill.cli.console import say_error
from pixmill.cli.exit_codes import Exit
from pixmill.cli.options.output import SHOW, Showing
from pixmill.cli.options.report import Reporting
from pixmill.cli.options.run import DST, SRC, config_from, run_options
from pixmill.cli.options.written_files import check_files
from pixmill.cli.progress.display import Display, Silent
from pixmill.cli.progress.watch import Complaints, Talk, WatchLines
from pixmill.cli.session.observers import Occasion, recorders
from pixmill.cli.session.report_refresher import Refresher
from pixmill.cli.session.signals import interruptible
from pixmill.cli.session.summary import MARGIN, plain_report, summary
from pixmill.core.errors import RunError
from pixmill.core.events import Observer
from pixmill.core.model import Model


class Health(Model, frozen=True, kw_only=True):
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
        watching = declared("How to watch", Watching, Health)
        return {**watching, **run_options(), **declared(SHOW, Showing), **declared(SHOW, Reporting, without={"profile"})}

    def execute(self) -> int:
        """Watch, or ask about a watcher."""
        if self.request.model(Health).health:
            return self._check()
        showing, reporting = self.request.model(Showing), self.request.model(Reporting)
        config = config_from(self.request)
        check_files(config, showing, reporting)
        write_report = partial(reporting.write, config, find(config).state)
        progress = Progress(time.monotonic)
        printer = Silent(self.console.err) if showing.quiet or showing.progress == "none" else WatchLines(self.console.err)
        stopped: RunError | None = None
        with interruptible() as interruption, ExitStack() as stack:
            display = stack.enter_context(Display(progress, lambda: printer))
            occasion = Occasion(config=config, progress=progress, command=["pixmill", *sys.argv[1:]], say=display.say)
            observers = [progress, *recorders(showing, self.console, occasion), *self._listeners(occasion, write_report)]
            watcher = Watcher(
                lambda: config_from(self.request), self.request.model(Watching), files=list(self._files()), observers=observers
            )
            interruption.stops(watcher, in_flight=lambda: progress.in_flight, say=display.say)
            try:
                for _ in watcher:
                    pass
                write_report()
            except RunError as error:
                stopped = error
        return self._conclude(watcher, showing, stopped)

    def _listeners(self, occasion: Occasion, write_report: Callable[[], None]) -> Iterator[Observer]:
        """Yield who else hears of a watch: what says it in words, and what keeps the report up to date."""
        is_quiet = self.request.model(Showing).quiet
        yield Complaints(occasion.say) if is_quiet else Talk(occasion.progress, occasion.say)
        if self.request.model(Reporting).report:
            yield Refresher(write_report)

    def _conclude(self, watcher: Watcher, showing: Showing, stopped: RunError | None) -> int:
        report = watcher.report()
        if showing.json:
            self.console.record({"event": "report", **plain_report(report)})
        if not showing.quiet:
            for line in summary(report, config_from(self.request), {}):
                self.console.say(line, margin=MARGIN)
        if stopped is not None:
            say_error(stopped, self.console)
            return Exit.STOPPED
        return report.exit_code if report.counts.pending else Exit.DONE

    def _check(self) -> int:
        trouble = why_not_alive(find(config_from(self.request)).state)
        self.console.say(trouble or "alive")
        return Exit.STOPPED if trouble else Exit.DONE

    def _files(self) -> Iterator[Path]:
        """Yield the file that says what to make, if there is one."""
        recipe = self.request.values.get("recipe")
        if isinstance(recipe, str):
            yield Path(recipe)
