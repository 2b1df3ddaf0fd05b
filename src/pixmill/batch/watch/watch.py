"""A hot folder: what is there and what arrives is processed, until somebody says stop.

One long run over one ledger, with its workers kept warm; a new run begins only when what is to be made has changed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.planning.plan import Plan, plan
from pixmill.batch.report.summary import Report, summarise
from pixmill.batch.run import BatchRun, begin
from pixmill.batch.watch.arrivals import Arrivals, Clocks
from pixmill.batch.watch.config_files import ConfigFileWatcher
from pixmill.batch.watch.events import SettingsChanged, SettingsRefused, SourceKept, SourceMoved
from pixmill.batch.watch.heartbeat import Heartbeat
from pixmill.batch.watch.move_processed import ProcessedMover
from pixmill.batch.watch.options import WatchOptions
from pixmill.batch.watch.root import watched
from pixmill.core.errors import ConfigError
from pixmill.core.events import Event, Observer
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.task import Outcome, Task

PAUSE = 1.0  # seconds between two looks at the files that say what to do


class Watch:
    """A watched folder: iterate for the outcomes, without end until ``stop``.

    ``ask`` returns what is to be done; it is called again when one of ``files`` changes, and what it raises then
    (``ConfigError``) is told and changes nothing. Iterating raises what ``open_run`` raises.
    """

    def __init__(
        self,
        ask: Callable[[], RunConfig],
        watching: WatchOptions,
        *,
        files: Sequence[Path] = (),
        observers: Sequence[Observer] = (),
        clocks: Clocks | None = None,
    ) -> None:
        """Ask once; start nothing yet."""
        self._ask = ask
        self._config = ask()
        self._watching = watching
        self._files = ConfigFileWatcher(files)
        self._metrics = Metrics()
        self._observers = (self._metrics, *observers)
        self._clocks = clocks or Clocks(time.monotonic, time.time)
        self._run: BatchRun | None = None
        self._reason = ""
        self._is_outdated = False
        self._looks_again_at = 0.0

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each task's outcome; whatever the image is moved to, it is there by then."""
        with ExitStack() as stack:
            for observer in self._observers:
                stack.callback(observer.close)
            while not self._reason:
                self._is_outdated = False
                yield from self._watch()
                if not self._is_outdated:
                    return

    def stop(self, reason: str) -> None:
        """Take no more images and let those in flight finish. May be called from a signal handler."""
        self._reason = self._reason or reason
        if self._run is not None:
            self._run.stop(reason)

    def kill(self) -> None:
        """End at once. May be called from a signal handler."""
        self.stop("killed")
        if self._run is not None:
            self._run.kill()

    def report(self) -> Report:
        """Return what has been done since it began."""
        if self._run is None:
            return summarise(self._metrics.snapshot(), {})
        made = self._run.plan
        return summarise(self._metrics.snapshot(), made.selector.ignored, makes=made.makes)

    def _watch(self) -> Iterator[Outcome]:
        made = self._plan()
        inbox = self._inbox(made)
        heartbeat = Heartbeat(made.locations.state, busy=made.config.policy.timeout, clock=self._clocks.elapsed)
        arrivals: list[Arrivals] = []

        def stream(ledger: Ledger) -> Iterator[Task | None]:
            goes_on = partial(self._goes_on, heartbeat)
            arrivals.append(Arrivals(made, ledger, self._watching, tell=self._tell, goes_on=goes_on, clocks=self._clocks))
            return iter(arrivals[0])

        with begin(made, stream, observers=[_NonClosing(observer) for observer in self._observers]) as run:
            self._run = run
            if self._reason:
                run.stop(self._reason)
            try:
                for outcome in run:
                    self._move(inbox, outcome)
                    arrivals[0].finished(outcome)
                    heartbeat.beat()
                    yield outcome
            finally:
                heartbeat.end()

    def _plan(self) -> Plan:
        """Resolve what was asked; folders that images are moved to are not part of the source."""
        made = plan(self._config)
        former, _ = watched(made)
        moves = [Path(folder) for folder in (self._watching.move_done, self._watching.move_failed) if folder]
        return Plan(made.config, msgspec.structs.replace(made.locations, source=former.excluding(moves)))

    def _inbox(self, made: Plan) -> ProcessedMover:
        places, watching = made.locations, self._watching
        return ProcessedMover(places.source.storage, watched(made)[1], done=watching.move_done, failed=watching.move_failed)

    def _move(self, inbox: ProcessedMover, outcome: Outcome) -> None:
        try:
            moved = inbox.take(outcome)
        except OSError as error:
            self._tell(SourceKept, path=outcome.task.key, message=error.strerror or str(error))
            return
        if moved is not None:
            self._tell(SourceMoved, path=outcome.task.key, to=str(moved))

    def _goes_on(self, heartbeat: Heartbeat) -> bool:
        """Give a sign of life, and tell whether the run still does what is asked."""
        heartbeat.beat()
        now = self._clocks.elapsed()
        if now >= self._looks_again_at:
            self._looks_again_at = now + PAUSE
            if self._files.have_changed():
                self._ask_again()
        return not self._is_outdated

    def _ask_again(self) -> None:
        try:
            config = self._ask()
        except ConfigError as error:
            self._tell(SettingsRefused, message=error.message)
            return
        if config != self._config:
            self._config = config
            self._is_outdated = True
            self._tell(SettingsChanged)

    def _tell(self, kind: type[Event], **facts: object) -> None:
        event = kind(at=self._clocks.now(), **facts)
        for observer in self._observers:
            observer.on_event(event)


class _NonClosing:
    """An observer that outlives the run that it observes."""

    def __init__(self, observer: Observer) -> None:
        self.on_event = observer.on_event

    def close(self) -> None:
        """Stay open: the next run has the same observers."""
