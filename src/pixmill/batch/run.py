"""The composition root: storage, engine and imaging meet here, and nowhere else."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from pathlib import Path

import msgspec

from pixmill.batch.config import RunConfig
from pixmill.batch.item import unpack
from pixmill.batch.lock import Lock
from pixmill.batch.places import nothing_found
from pixmill.batch.plan import Plan, plan
from pixmill.batch.report.summary import Report, summarise
from pixmill.core.errors import RunError
from pixmill.core.events import Observer
from pixmill.core.registry import Registry
from pixmill.core.text import printable
from pixmill.engine.executor import Executor
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledger import Ledger, Record, RunRecord
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.metrics import Metrics
from pixmill.engine.run import Run
from pixmill.engine.run import open_run as open_engine
from pixmill.engine.task import Outcome, State, Task
from pixmill.storage.open import open_storage

LEDGER = "ledger.sqlite"
PRELOAD = ("pixmill.batch.handler",)
Stream = Callable[[Ledger], Iterable[Task | None]]


def executors() -> Registry[Executor]:
    """Return every executor, by the name that ``--executor`` takes."""
    return Registry("pixmill.engine.executors", Executor, "executor")  # type: ignore[type-abstract]  # only its subclasses are made


class BatchRun:
    """A run that is under way: iterate for the final outcomes. ``metrics`` and ``counts`` may be read at any time."""

    def __init__(self, plan: Plan, engine: Run, metrics: Metrics) -> None:
        """Made by ``open_run``."""
        self.plan = plan
        self.metrics = metrics
        self._engine = engine
        self.stop = engine.stop
        self.kill = engine.kill

    def __iter__(self) -> Iterator[Outcome]:
        """Yield each task's one final outcome, in the order in which they end."""
        return iter(self._engine)

    def report(self) -> Report:
        """Return what has been done so far, or altogether once the run has ended."""
        return summarise(self.metrics.snapshot(), self.plan.selector.ignored)


@contextmanager
def open_run(config: RunConfig, *, observers: Sequence[Observer] = ()) -> Iterator[BatchRun]:
    """Start a run of ``config``. Leaving the block, by whatever way, stops it and lets go of everything.

    ``ConfigError`` when nothing could be run, ``RunError`` when the environment does not allow it.
    """
    made = plan(config)
    tasks = made.tasks()
    first = list(islice(tasks, 1))
    if not first and config.selection.shard.count == 1 and not (made.places.state / LEDGER).exists():
        raise nothing_found(config, made.selector.ignored)
    with begin(made, lambda _: chain(first, tasks), observers=observers) as under_way:
        yield under_way


@contextmanager
def begin(made: Plan, stream: Stream, *, observers: Sequence[Observer] = ()) -> Iterator[BatchRun]:
    """Start a run of the tasks that ``stream`` gives, which may be told what the ledger knows. Ends like ``open_run``."""
    config = made.config
    with ExitStack() as stack:
        metrics = Metrics()
        ledger = _open_state(made, stack)
        executor = executors().get(config.executor)(workers=config.workers)  # type: ignore[call-arg]  # as every executor is made
        engine = stack.enter_context(
            open_engine(
                stream(ledger),
                HandlerRef("pixmill.batch.handler:image_handler", msgspec.msgpack.encode(made.handler_options), preload=PRELOAD),
                executor=executor,
                ledger=ledger,
                policy=config.policy,
                observers=(metrics, *observers),
                still_valid=OutputsStand(made.places.destination),
                about=about(config),
                force=config.force,
            )
        )
        yield BatchRun(made, engine, metrics)


def run(config: RunConfig, *, observers: Sequence[Observer] = ()) -> Report:
    """Run ``config`` to its end and return the report."""
    with open_run(config, observers=observers) as under_way:
        for _ in under_way:
            pass
    return under_way.report()


def about(config: RunConfig) -> bytes:
    """Return ``config`` as the JSON that the ledger keeps with a run."""
    return msgspec.json.encode(config.to_builtins())


def _open_state(made: Plan, stack: ExitStack) -> Ledger:
    """Make the state folder, take the lock, open the ledger, and clear away what a dead run left behind."""
    state, destination = made.places.state, made.places.destination
    guard = destination / ".pixmill"
    _make_folders(guard, state)
    sharded = made.config.selection.shard.count > 1
    stack.enter_context(Lock(guard / "lock", shared=sharded))
    if state != guard:
        stack.enter_context(Lock(state / "lock"))
    is_new = not (state / LEDGER).exists()
    ledger = SqliteLedger(state / LEDGER)
    stack.callback(ledger.close)
    runs = list(ledger.runs())
    if is_new or (runs and not runs[-1].ended_at):
        _sweep(made)
    if runs:
        _reconsider(ledger, runs[-1], made.config)
    return ledger


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{printable(folder)} cannot be made: {error.strerror}", code="not-writable") from None


def _sweep(made: Plan) -> None:
    """Remove the temporaries of dead runs: nobody else can be writing, the lock is ours."""
    sharded = made.config.selection.shard.count > 1
    open_storage(made.places.destination).sweep({made.tag} if sharded else None)


def _reconsider(ledger: Ledger, last: RunRecord, config: RunConfig) -> None:
    """Give failures at a limit another chance when a limit has changed since: it decides whether, so the id does not know it."""
    if last.about == about(config):
        return
    at_a_limit = (
        record.key
        for record in ledger.records(State.FAILED)
        if record.failure is not None and record.failure.code.startswith(("limit", "timeout", "out-of-memory"))
    )
    ledger.forget(list(at_a_limit))


class OutputsStand:
    """Tells whether the outputs of a finished task are still there, by their size: the ledger alone is not believed."""

    def __init__(self, destination: Path) -> None:
        """Look below ``destination``."""
        self._root = os.fsencode(destination) + b"/"

    def __call__(self, task: Task, record: Record) -> bool:  # noqa: ARG002  # the engine's signature
        """Return whether every output of ``record`` has the size it was written with."""
        for output in unpack(record.result).outputs:
            try:
                if os.stat(self._root + output.name).st_size != output.size:  # noqa: PTH116  # bytes, and the hot path of a re-run
                    return False
            except OSError:
                return False
        return True
