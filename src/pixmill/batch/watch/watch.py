"""A hot folder: existing and arriving images are processed until the watch is stopped.

One long run over one ledger keeps its workers warm; a new run begins only when the configuration has changed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import msgspec

from pixmill.batch.batch_run import BatchRun
from pixmill.batch.config.models import RunConfig
from pixmill.batch.item import from_payload
from pixmill.batch.planning.plan import Plan, plan
from pixmill.batch.report.summary import Report, summarise
from pixmill.batch.run import begin
from pixmill.batch.watch.arrivals import Arrivals, Clocks
from pixmill.batch.watch.config_files import ConfigFileWatcher
from pixmill.batch.watch.events import SettingsChanged, SettingsRefused, SourceKept, SourceMoved
from pixmill.batch.watch.heartbeat import Heartbeat
from pixmill.batch.watch.move_processed import ProcessedMover
from pixmill.batch.watch.options import WatchOptions
from pixmill.batch.watch.root import watched_folder
from pixmill.core.errors import ConfigError
from pixmill.core.events import Event, Observer
from pixmill.core.units import ALL
from pixmill.engine.ledger import Ledger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.task import Outcome, Task

CONFIG_CHECK_INTERVAL = 1.0  # seconds between two checks of the configuration files


class Watch:
    """A watched folder: iterate for the outcomes, endlessly until ``stop``.

    ``load_config`` returns the configuration. It is called again when one of ``files`` changes; a ``ConfigError`` that it raises
    then is published as an event and changes nothing. Iterating raises the same errors as ``open_run``.
    """

    def __init__(
        self,
        load_config: Callable[[], RunConfig],
        options: WatchOptions,
        *,
        files: Sequence[Path] = (),
        observers: Sequence[Observer] = (),
        clocks: Clocks | None = None,
    ) -> None:
        """Load the configuration; start nothing yet."""
        self._load_config = load_config
        self._config = load_config()
        self._options = options
        self._files = ConfigFileWatcher(files)
        self._metrics = Metrics()
        self._observers = (self._metrics, *observers)
        self._clocks = clocks or Clocks(time.monotonic, time.time)
        self._run: BatchRun | None = None
        self._reason = ""
        self._is_outdated = False
        self._next_config_check = 0.0

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each task's outcome, after its image has been moved if it is to be moved."""
        with ExitStack() as stack:
            for observer in self._observers:
                stack.callback(observer.close)
            while not self._reason:
                self._is_outdated = False
                yield from self._watch()
                if not self._is_outdated:
                    return

    def stop(self, reason: str) -> None:
        """Accept no more images and let those in flight finish. May be called from a signal handler."""
        self._reason = self._reason or reason
        if self._run is not None:
            self._run.stop(reason)

    def kill(self) -> None:
        """End at once. May be called from a signal handler."""
        self.stop("killed")
        if self._run is not None:
            self._run.kill()

    def report(self) -> Report:
        """Return the report since the watch began."""
        if self._run is None:
            return summarise(self._metrics.snapshot(), {})
        current_plan = self._run.plan
        selector = current_plan.selector
        return summarise(
            self._metrics.snapshot(),
            selector.ignored,
            patterns=selector.patterns,
            other_images=selector.other_images,
            makes=current_plan.makes,
        )

    def _watch(self) -> Iterator[Outcome]:
        current_plan = self._plan()
        mover = self._make_mover(current_plan)
        heartbeat = Heartbeat(current_plan.locations.state, max_busy=current_plan.config.policy.timeout, clock=self._clocks.elapsed)
        arrivals: list[Arrivals] = []

        def stream(ledger: Ledger) -> Iterator[Task | None]:
            should_continue = partial(self._should_continue, heartbeat)
            arrivals.append(
                Arrivals(
                    current_plan, ledger, self._options, publish=self._publish, should_continue=should_continue, clocks=self._clocks
                )
            )
            return iter(arrivals[0])

        observers = [_NonClosing(observer) for observer in self._observers]
        with begin(current_plan, stream, observers=observers, keeps_names=not self._options.empties) as run:
            self._run = run
            if self._reason:
                run.stop(self._reason)
            try:
                for outcome in run:
                    self._move(mover, outcome)
                    arrivals[0].finished(outcome)
                    heartbeat.beat()
                    yield outcome
            finally:
                heartbeat.end()

    def _plan(self) -> Plan:
        """Resolve the configuration; folders that images are moved to are excluded from the source."""
        endless = self._config.policy.evolve(max_failures=ALL)  # failures must not end a service
        current_plan = plan(self._config.evolve(policy=endless), is_run=True)
        former, _ = watched_folder(current_plan)
        moves = [Path(folder) for folder in (self._options.move_done, self._options.move_failed) if folder]
        return Plan(current_plan.config, msgspec.structs.replace(current_plan.locations, source=former.excluding(moves)))

    def _make_mover(self, current_plan: Plan) -> ProcessedMover:
        places, options = current_plan.locations, self._options
        return ProcessedMover(
            places.source.storage, watched_folder(current_plan)[1], done=options.move_done, failed=options.move_failed
        )

    def _move(self, mover: ProcessedMover, outcome: Outcome) -> None:
        path = from_payload(outcome.task.payload).entry.path
        try:
            moved = mover.move(outcome)
        except OSError as error:
            self._publish(SourceKept, path=path, message=error.strerror or str(error))
            return
        if moved is not None:
            self._publish(SourceMoved, path=path, to=str(moved))

    def _should_continue(self, heartbeat: Heartbeat) -> bool:
        """Send a heartbeat, and return whether the configuration of the run is still current."""
        heartbeat.beat()
        now = self._clocks.elapsed()
        if now >= self._next_config_check:
            self._next_config_check = now + CONFIG_CHECK_INTERVAL
            if self._files.have_changed():
                self._reload_config()
        return not self._is_outdated

    def _reload_config(self) -> None:
        try:
            config = self._load_config()
        except ConfigError as error:
            self._publish(SettingsRefused, message=error.message)
            return
        if config != self._config:
            self._config = config
            self._is_outdated = True
            self._publish(SettingsChanged)

    def _publish(self, kind: type[Event], **fields: object) -> None:
        event = kind(at=self._clocks.now(), **fields)
        for observer in self._observers:
            observer.on_event(event)


class _NonClosing:
    """An observer that is not closed with the run that it observes."""

    def __init__(self, observer: Observer) -> None:
        self.on_event = observer.on_event

    def close(self) -> None:
        """Do nothing: the next run has the same observers."""
