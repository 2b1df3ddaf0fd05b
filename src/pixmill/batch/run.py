"""The composition root: storage, engine and imaging meet here, and nowhere else."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pixmill.batch.config.models import RunConfig
from pixmill.batch.inspect import output_index
from pixmill.batch.outputs.named_files import NamedFile, check, states_of
from pixmill.batch.outputs.reuse import with_reusable_outputs
from pixmill.batch.outputs.still_valid import still_valid
from pixmill.batch.planning.locations import nothing_found
from pixmill.batch.planning.plan import Plan, plan
from pixmill.batch.planning.preflight import MAX_CHECKED, is_near, preflight_warnings
from pixmill.batch.report.data.run_info import RunInfoFile
from pixmill.batch.report.summary import Report, summarise
from pixmill.batch.state.ledger_files import LEDGER
from pixmill.batch.state.location import RUNS
from pixmill.batch.state.open import open_run_state
from pixmill.batch.state.outputs import outputs_exist
from pixmill.batch.state.stored_config import stored_config
from pixmill.batch.state.unrecorded import last_commit, unrecorded
from pixmill.batch.worker.reference import handler_ref, worker_count
from pixmill.core.events import Observer
from pixmill.core.registry import Registry
from pixmill.engine.executor import Executor
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledger import FINISHED, Ledger
from pixmill.engine.observability.metrics import Metrics
from pixmill.engine.runner import Run
from pixmill.engine.runner import open_run as open_engine
from pixmill.engine.task import Outcome, Task
from pixmill.storage.open import open_storage

if TYPE_CHECKING:
    from pixmill.batch.datasets.sealing.sealing import Sealing

Finish = Callable[[Callable[[], bool]], bool]
HandlerWrapper = Callable[[HandlerRef], HandlerRef]
Stream = Callable[[Ledger], Iterable[Task | None]]


def executors() -> Registry[Executor]:
    """Return every executor, by the name that ``--executor`` takes."""
    return Registry("pixmill.engine.executors", Executor, "executor")  # type: ignore[type-abstract]  # only its subclasses are made


class BatchRun:
    """A run that is under way: iterate for the final outcomes. ``metrics`` and ``counts`` may be read at any time.

    ``remarks`` are sentences on what must be known before it begins.
    """

    def __init__(self, plan: Plan, engine: Run, metrics: Metrics, finish: Finish | None = None) -> None:
        """Made by ``open_run``. ``finish`` is what is left to do when every image has its outcome."""
        self.plan = plan
        self.metrics = metrics
        self.remarks: tuple[str, ...] = ()
        self._engine = engine
        self._finish = finish
        self._stopped = ""
        self._is_finished = finish is None

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each task's one final outcome, in the order in which they end; then finish, which for a dataset takes a while."""
        yield from self._engine
        if self._finish is not None and self._engine.reason == FINISHED:
            self._is_finished = self._finish(lambda: not self._stopped)

    def stop(self, reason: str) -> None:
        """Take no more tasks and let those in flight finish within the grace. May be called from a signal handler."""
        self._stopped = self._stopped or reason
        self._engine.stop(reason)

    def kill(self) -> None:
        """End at once; what is in flight stays pending. May be called from a signal handler."""
        self.stop("killed")
        self._engine.kill()

    def report(self) -> Report:
        """Return what has been done so far, or altogether once the run has ended."""
        report = summarise(self.metrics.snapshot(), self.plan.selector.ignored, makes=self.plan.makes)
        is_cut_short = report.reason == FINISHED and not self._is_finished and self._stopped
        return msgspec.structs.replace(report, reason=self._stopped) if is_cut_short else report


@contextmanager
def open_run(
    config: RunConfig,
    *,
    observers: Sequence[Observer] = (),
    command: Sequence[str] = (),
    wrap_handler: HandlerWrapper | None = None,
) -> Iterator[BatchRun]:
    """Start a run of ``config``. Leaving the block, by whatever way, stops it and lets go of everything.

    ``command`` is how it was asked for in a shell, for the report. ``dress`` may put something around the handler.
    ``ConfigError`` when nothing could be run, ``RunError`` when the environment does not allow it.
    """
    made = plan(config)
    tasks = made.tasks()
    first = list(islice(tasks, MAX_CHECKED if is_near(made.places) else 1))
    if not first and config.selection.shard.count == 1 and not (made.places.state / LEDGER).exists():
        raise nothing_found(config, made.selector.ignored)
    remarks: list[str] = []
    committed = last_commit(made.places.state)

    def stream(ledger: Ledger) -> Iterator[Task]:
        remarks.extend(preflight_warnings(made, ledger, first, committed=committed))
        return chain(first, tasks)

    with begin(made, stream, observers=observers, command=command, wrap_handler=wrap_handler) as under_way:
        under_way.remarks = tuple(remarks)
        yield under_way


@contextmanager
def begin(
    made: Plan,
    stream: Stream,
    *,
    observers: Sequence[Observer] = (),
    command: Sequence[str] = (),
    wrap_handler: HandlerWrapper | None = None,
) -> Iterator[BatchRun]:
    """Start a run of the tasks that ``stream`` gives, which may be told what the ledger knows. Ends like ``open_run``."""
    config = made.config
    if config.placement.index:
        files = [NamedFile("--index", Path(config.placement.index), "index")]
        check(files, source=config.source, states=states_of(made.places.lock_folder, made.places.state))
    with ExitStack() as stack:
        metrics = Metrics()
        made.let_go()
        committed = last_commit(made.places.state)
        ledger, guards = open_run_state(config, made.places, stack)
        stack.callback(made.let_go)
        if config.placement.index:
            stack.callback(_write_index, made, ledger, Path(config.placement.index))
        sealing = _sealing(made, ledger, observers, stack)
        spans = unrecorded(ledger.runs(), made.places.state, committed=committed)
        assignment = msgspec.structs.replace(made.assignment, unrecorded=spans)
        workers = worker_count(config, assignment)
        executor = executors().get(config.executor).connect(workers=workers, address=config.address)
        handler = handler_ref(assignment, config.recipe)
        is_taken = open_storage(made.places.destination).is_occupied
        tasks = stream(ledger)
        if executor.has_nodes:
            tasks = _admitting(executor, made, tasks, stack)
        engine = stack.enter_context(
            open_engine(
                tasks,
                wrap_handler(handler) if wrap_handler else handler,
                executor=executor,
                ledger=ledger,
                policy=config.policy,
                observers=(
                    metrics,
                    RunInfoFile(made.places.state / RUNS, metrics, command, makes=made.makes),
                    *guards,
                    *observers,
                ),
                still_valid=still_valid(
                    sealing.contents.exists if sealing else outputs_exist(made.places.destination),
                    is_taken,
                ),
                revise=with_reusable_outputs(
                    ledger,
                    is_taken=is_taken if made.places.destination.local else _may_be,  # a store would be asked for each image
                    force=config.force,
                    holds=sealing.contents.has_outputs if sealing else None,
                ),
                metadata=stored_config(config),
                force=config.force,
            )
        )
        yield BatchRun(made, engine, metrics, sealing.seal if sealing else None)


def _may_be(name: bytes) -> bool:
    del name
    return True


def _admitting(executor: Executor, made: Plan, tasks: Iterable[Task | None], stack: ExitStack) -> Iterable[Task | None]:
    from pixmill.batch.node_probe import admitting  # noqa: PLC0415  # most runs have no nodes

    return admitting(executor, made, tasks, stack)


def _write_index(made: Plan, ledger: Ledger, path: Path) -> None:
    """Write the index, unless the state has been deleted meanwhile: then nothing is said of an output that is not there."""
    if (made.places.state / LEDGER).exists():
        output_index.write(ledger, path)


def _sealing(made: Plan, ledger: Ledger, observers: Sequence[Observer], stack: ExitStack) -> "Sealing | None":
    if made.places.dataset is None:
        return None
    from pixmill.batch.datasets.open import open_sealing  # noqa: PLC0415  # 20 modules that no other run needs

    return open_sealing(made.places.dataset, made.config.placement, made.places.state, ledger, observers, stack)


def run(config: RunConfig, *, observers: Sequence[Observer] = ()) -> Report:
    """Run ``config`` to its end and return the report."""
    with open_run(config, observers=observers) as under_way:
        for _ in under_way:
            pass
    return under_way.report()
