"""Run tasks to completion: the entry point of the engine.

    with open_run(tasks, handler) as run:
        for outcome in run:
            ...

However the block is left, no process, file or open attempt remains.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self

from pixmill.core.errors import PixmillError
from pixmill.core.events import Observer
from pixmill.engine.clock import Clock, SystemClock
from pixmill.engine.events import RunEnded, RunStarted
from pixmill.engine.executor import Executor
from pixmill.engine.executors.local import LocalExecutor
from pixmill.engine.forkserver import prestart
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.status_file import StatusFile
from pixmill.engine.ledger import IsSame, Ledger
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.policy import Policy
from pixmill.engine.resources.memory import MemoryBudget
from pixmill.engine.scheduling.admission import Admission, Revise, StillValid
from pixmill.engine.scheduling.components import Components
from pixmill.engine.scheduling.deferrals import Resolve
from pixmill.engine.scheduling.next_pass import Renewal
from pixmill.engine.scheduling.scheduler import Scheduler
from pixmill.engine.scheduling.store_breaker import Hold, no_hold
from pixmill.engine.task import BegunTask, Counts, Outcome, Task
from pixmill.engine.worker.mark import refuse_in_worker

_P = ParamSpec("_P")


class Run:
    """A run: enter the context to start it, iterate for the outcomes, exit to end it. Created by ``open_run``."""

    def __init__(
        self,
        tasks: Iterable[Task | None],
        handler: HandlerRef,
        components: Components,
        *,
        observers: Sequence[Observer],
        metadata: bytes,
        begun: Sequence[BegunTask],
    ) -> None:
        """Start nothing yet."""
        self._begun = begun
        self._handler = handler
        self._components = components
        self._observers = observers
        self._metadata = metadata
        self._scheduler = Scheduler(tasks, components)
        self._outcomes = self._iterate()
        self._exits = ExitStack()
        self._started_at = 0.0
        self._reason_code = ""

    @property
    def counts(self) -> Counts:
        """The outcomes of the tasks so far; ``pending`` counts tasks that were found and have no outcome yet."""
        return self._scheduler.counts

    @property
    def reason(self) -> str:
        """Why the run ended: ``finished``, ``interrupted``, the argument of ``stop``, or an error's message; empty until then."""
        return self._scheduler.reason

    def stop(self, reason: str) -> None:
        """Take no more tasks and let those in flight finish within the grace period. May be called from a signal handler."""
        self._scheduler.stop(reason)

    def kill(self) -> None:
        """End at once; tasks in flight stay pending. May be called from a signal handler."""
        self._scheduler.kill()

    def __iter__(self) -> Iterator[Outcome]:
        """Yield the one final outcome of each task, in any order. ``RunError`` when the environment stops the run."""
        return self._outcomes

    def __enter__(self) -> Self:
        """Start the workers and open the run in the ledger. ``RunError`` when that fails."""
        refuse_in_worker()
        executor, ledger, publisher = self._components.executor, self._components.ledger, self._components.publisher
        with ExitStack() as exits:
            for observer in self._observers:
                exits.callback(observer.close)
            exits.callback(executor.close)
            status_file = self._components.status_file
            if status_file:
                executor.show_status_in(status_file)
            executor.start(self._handler, self._components.policy)
            self._components.memory.divide(executor.workers)  # which may be fewer than wanted
            prestart.discard()  # unless the executor has claimed it
            number = ledger.begin_run(self._metadata, begun=self._begun)
            self._started_at = self._components.clock.elapsed()
            if status_file:
                status_file.begin_run(number, self._started_at)
            exits.callback(self._end)
            publisher.publish(RunStarted, run=number, workers=executor.workers)
            self._exits = exits.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the run: kill the workers, release attempts without an outcome, close the run in the ledger, then the observers."""
        self._scheduler.stop(_reason(error))
        self._exits.close()

    def _end(self) -> None:
        ledger, publisher = self._components.ledger, self._components.publisher
        self._components.executor.close()
        self._scheduler.release()
        ledger.end_run(self.counts, self.reason)
        if self._components.status_file:
            self._components.status_file.end_run()
        seconds = self._components.clock.elapsed() - self._started_at
        publisher.publish(RunEnded, counts=self.counts, reason=self.reason, seconds=seconds, reason_code=self._reason_code)

    def _iterate(self) -> Iterator[Outcome]:
        try:
            yield from self._scheduler
        except Exception as error:
            self._scheduler.stop(_reason(error))
            self._reason_code = error.code if isinstance(error, PixmillError) else ""
            raise


def open_run(  # noqa: PLR0913  # all options of a caller, each with its default
    tasks: Iterable[Task | None],
    handler: HandlerRef | Callable[[bytes], bytes],
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    ledger: Ledger | None = None,
    policy: Policy | None = None,
    observers: Sequence[Observer] = (),
    still_valid: StillValid | None = None,
    revise: Revise | None = None,
    is_same: IsSame | None = None,
    resolve: Resolve | None = None,
    renewal: Renewal | None = None,
    metadata: bytes = b"",
    force: bool = False,
    status_file: StatusFile | None = None,
    begun: Sequence[BegunTask] = (),
    hold: Callable[[], Hold | None] = no_hold,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> Run:
    """Return the run of ``handler`` over ``tasks``, which are read as they are needed and never all held in memory.

    A source without a task at the moment yields ``None``, and is read again soon; the run ends when the source does. The source may
    yield a key again once its task has an outcome.

    ``handler``: a reference, or a function ``bytes -> bytes`` at the top level of a module or script. ``executor``: where to run;
    by default ``workers`` processes on this machine (as many as the cores that may be used). ``ledger``: makes the run resumable;
    by default one that lasts as long as the process. The caller closes the ledger; the run closes the executor and the observers.
    ``still_valid(task, record)``: whether the record of a finished task still holds; a text means that it does, and is the reason
    of ``Skipped``. ``revise(task, record)`` returns the task to send in place of one that needs an attempt, with the same id and
    key. ``is_same(task, record)``: whether a record with another id is of the same version. ``resolve`` returns the tasks to send
    in place of those that the handler ``Deferred``. ``renewal``: how to go on with tasks whose data changed after they were found;
    they stay pending until all others have an outcome. ``force``: run everything again. ``metadata``: the caller's own JSON, stored
    with the run. ``status_file`` shows what is at work to the next run, should this one be killed; the caller closes it. Without it
    no task is ever suspected. ``begun``: the tasks that were at work when the last run was killed. ``hold``
    returns what waits for a store at the moment, other than the tasks themselves. ``rng`` draws the pauses before retries.
    """
    clock = clock or SystemClock()
    ledger = MemoryLedger() if ledger is None else ledger
    policy = policy or Policy()
    executor = executor or LocalExecutor(workers=workers)
    ref = handler if isinstance(handler, HandlerRef) else HandlerRef.to(handler)
    components = Components(
        executor=executor,
        ledger=ledger,
        policy=policy,
        admission=Admission(ledger, policy, still_valid=still_valid, revise=revise, is_same=is_same, force=force),
        publisher=EventPublisher(observers, clock),
        memory=MemoryBudget(policy.memory, executor.workers, held=ref.held_memory, batch_size=ref.batch_size),
        clock=clock,
        rng=rng or random.Random(),  # noqa: S311  # for spreading retries, not for secrets
        status_file=status_file,
        resolve=resolve,
        renewal=renewal,
        hold=hold,
    )
    return Run(tasks, ref, components, observers=observers, metadata=metadata, begun=begun)


def _run_to_completion(open_function: Callable[_P, Run]) -> Callable[_P, Counts]:
    """Return a function with the same parameters that runs the opened run to its end."""

    @wraps(open_function, assigned=("__module__",))
    def run(*arguments: _P.args, **options: _P.kwargs) -> Counts:
        """Run tasks to completion and return the counts of their outcomes. Takes the parameters of ``open_run``."""
        with open_function(*arguments, **options) as opened:
            for _ in opened:
                pass
        return opened.counts

    return run


run = _run_to_completion(open_run)


def _reason(error: BaseException | None) -> str:
    if error is None or isinstance(error, KeyboardInterrupt | GeneratorExit):
        return "interrupted"
    return error.message if isinstance(error, PixmillError) else f"{type(error).__name__}: {error}"
