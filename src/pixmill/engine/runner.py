"""Run tasks to their ends: the way into the engine.

    with open_run(tasks, handler) as run:
        for outcome in run:
            ...

Leaving the block, by whatever way, leaves no process, file or open attempt behind.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self

from pixmill.core.errors import PixmillError, RunError
from pixmill.core.events import Observer
from pixmill.engine.clock import Clock, SystemClock
from pixmill.engine.events import RunEnded, RunStarted
from pixmill.engine.executor import Executor
from pixmill.engine.executors.local import LocalExecutor
from pixmill.engine.forkserver import prestart
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ledger import Ledger
from pixmill.engine.ledgers.memory import MemoryLedger
from pixmill.engine.observability.publisher import EventPublisher
from pixmill.engine.policy import Policy
from pixmill.engine.resources.memory import MemoryBudget
from pixmill.engine.scheduling.admission import Admission, Revise, StillValid
from pixmill.engine.scheduling.scheduler import Components, Scheduler
from pixmill.engine.task import Counts, Outcome, Task
from pixmill.engine.worker.process import is_worker_process

_P = ParamSpec("_P")


class Run:
    """A run: enter it to start, iterate for the outcomes, leave to end. Made by ``open_run``."""

    def __init__(
        self, tasks: Iterable[Task | None], handler: HandlerRef, parts: Components, *, observers: Sequence[Observer], about: bytes
    ) -> None:
        """Start nothing yet."""
        self._handler = handler
        self._components = parts
        self._observers = observers
        self._metadata = about
        self._scheduler = Scheduler(tasks, parts)
        self._outcomes = self._guarded()
        self._exits = ExitStack()
        self._began = 0.0

    @property
    def counts(self) -> Counts:
        """What has become of the tasks so far; ``pending`` are those found that have no outcome yet."""
        return self._scheduler.counts

    @property
    def reason(self) -> str:
        """Why the run ended: ``finished``, ``interrupted``, what ``stop`` was given, or an error's message; empty before."""
        return self._scheduler.reason

    def stop(self, reason: str) -> None:
        """Take no more tasks and let those in flight finish within the grace. May be called from a signal handler."""
        self._scheduler.stop(reason)

    def kill(self) -> None:
        """End at once; what is in flight stays pending. May be called from a signal handler."""
        self._scheduler.kill()

    def __iter__(self) -> Iterator[Outcome]:
        """Yield the one final outcome of each task, in any order. ``RunError`` when the environment stops the run."""
        return self._outcomes

    def __enter__(self) -> Self:
        """Start the workers and open the run in the ledger. ``RunError`` when it cannot be."""
        if is_worker_process():
            message = "a worker process tried to start a run of its own"
            raise RunError(message, hint='put the call that starts the run under `if __name__ == "__main__":`')
        executor, ledger, publisher = self._components.executor, self._components.ledger, self._components.publisher
        with ExitStack() as exits:
            for observer in self._observers:
                exits.callback(observer.close)
            exits.callback(executor.close)
            executor.start(self._handler, self._components.policy)
            prestart.discard()  # this executor had no use for it
            number = ledger.begin_run(self._metadata)
            self._began = self._components.clock.elapsed()
            exits.callback(self._end)
            publisher.publish(RunStarted, run=number, workers=executor.workers)
            self._exits = exits.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the run: kill what still runs, give back what has no outcome, close the books, then the observers."""
        self._scheduler.stop(_reason(error))
        self._exits.close()

    def _end(self) -> None:
        ledger, publisher = self._components.ledger, self._components.publisher
        self._components.executor.close()
        self._scheduler.release()
        ledger.end_run(self.counts, self.reason)
        seconds = self._components.clock.elapsed() - self._began
        publisher.publish(RunEnded, counts=self.counts, reason=self.reason, seconds=seconds)

    def _guarded(self) -> Iterator[Outcome]:
        try:
            yield from self._scheduler
        except Exception as error:
            self._scheduler.stop(_reason(error))
            raise


def open_run(  # noqa: PLR0913  # every choice that a caller has, each with its default
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
    metadata: bytes = b"",
    force: bool = False,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> Run:
    """Return the run of ``handler`` over ``tasks``, which are drawn as they are needed and never held as a whole.

    A source that has nothing at the moment yields ``None``, and is asked again soon; the run ends when it ends. It may yield a
    key again once the task has had its outcome.

    ``handler``: a reference, or a function ``bytes -> bytes`` at the top level of a module or script. ``executor``: where to
    run; by default ``workers`` processes on this machine (as many as the cores that may be used). ``ledger``: what makes it
    resumable; by default one that lasts as long as the process. The caller closes it; the run closes executor and observers.
    ``still_valid(task, record)``: whether what is on record of a finished task still holds. ``revise(task, record)`` returns what
    to send in place of a task that is to be tried, with the same id and key. ``force``: run everything again.
    ``about``: the caller's own JSON, kept with the run. ``chance`` draws the pauses before retries.
    """
    clock = clock or SystemClock()
    ledger = MemoryLedger() if ledger is None else ledger
    policy = policy or Policy()
    executor = executor or LocalExecutor(workers=workers)
    parts = Components(
        executor=executor,
        ledger=ledger,
        policy=policy,
        admission=Admission(ledger, policy, still_valid=still_valid, revise=revise, force=force),
        publisher=EventPublisher(observers, clock),
        memory=MemoryBudget(policy.memory, executor.workers),
        clock=clock,
        rng=rng or random.Random(),  # noqa: S311  # it spreads retries, it keeps no secret
    )
    ref = handler if isinstance(handler, HandlerRef) else HandlerRef.to(handler)
    return Run(tasks, ref, parts, observers=observers, about=metadata)


def _read_ahead(opening: Callable[_P, Run]) -> Callable[_P, Counts]:
    """Return the function that opens a run in the same way and runs it to its end."""

    @wraps(opening, assigned=("__module__",))
    def run(*arguments: _P.args, **choices: _P.kwargs) -> Counts:
        """Run tasks to their ends and return what became of them. Takes what ``open_run`` takes."""
        with opening(*arguments, **choices) as under_way:
            for _ in under_way:
                pass
        return under_way.counts

    return run


run = _read_ahead(open_run)


def _reason(error: BaseException | None) -> str:
    if error is None or isinstance(error, KeyboardInterrupt | GeneratorExit):
        return "interrupted"
    return error.message if isinstance(error, PixmillError) else f"{type(error).__name__}: {error}"
