"""Handle several tasks of a worker together, so that what takes several values at once gets them from several tasks.

Each task runs in a thread of its own, but only one of them at any moment: code that is not safe for threads need not become so. A
task that ``gather``s waits until every other task of the batch waits, too, or has ended. Then one call serves all that wait.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from pixmill.engine.handler import Handler, PendingResult
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.task import Failure
from pixmill.engine.worker.invoke import invoke
from pixmill.engine.worker.stages import PublishedStages


class Served(NamedTuple):
    """What became of a value: ``outcome`` returns the result or raises. ``seconds``: its share of the time that it took."""

    outcome: Callable[[], Any]
    seconds: float


class _Waiting:
    """A value that a task has handed in."""

    def __init__(self, value: object, function: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self.value = value
        self.function = function
        self.served: Served | None = None


class Batch:
    """The tasks that are handled together."""

    def __init__(self) -> None:
        """Start without a task."""
        self._changed = threading.Condition()
        self._running: threading.Thread | None = None
        self._alive = 0
        self._waiting: list[_Waiting] = []

    def run(self, calls: Sequence[Callable[[], None]]) -> None:
        """Make all ``calls``, which must not raise, and return when the last one has ended."""
        threads = [threading.Thread(target=self._run_one, args=(call,), name="batch") for call in calls]
        self._alive = len(threads)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run_one(self, call: Callable[[], None]) -> None:
        self._take_turn(lambda: True)
        try:
            call()
        finally:
            with self._changed:
                self._alive -= 1
            self._serve_if_all_wait()
            self._end_turn()

    def gather(self, value: object, function: Callable[[Sequence[Any]], Sequence[Any]]) -> Served:
        """Hand in ``value``, and return the result that ``function`` has for it among those of other tasks."""
        waiting = _Waiting(value, function)
        self._waiting.append(waiting)
        self._serve_if_all_wait()
        if waiting.served is None:
            self._end_turn()
            self._take_turn(lambda: waiting.served is not None)
        if waiting.served is None:
            raise RuntimeError("a batch went on without a result")
        return waiting.served

    def _serve_if_all_wait(self) -> None:
        """Call the function of the task that has waited longest, for all that wait for the same one, if no other task can run."""
        if not self._waiting or len(self._waiting) < self._alive:
            return
        function = self._waiting[0].function
        together = [each for each in self._waiting if each.function == function]
        self._waiting = [each for each in self._waiting if each.function != function]
        began = time.perf_counter()
        outcomes = _outcomes([each.value for each in together], function)
        seconds = (time.perf_counter() - began) / len(together)
        for each, outcome in zip(together, outcomes, strict=True):
            each.served = Served(outcome, seconds)

    def _take_turn(self, may_go_on: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._running is None and may_go_on())
            self._running = threading.current_thread()

    def _end_turn(self) -> None:
        with self._changed:
            self._running = None
            self._changed.notify_all()


def _outcomes(values: Sequence[Any], function: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Callable[[], Any]]:
    """Return a function for each of ``values`` that returns its result or raises.

    If ``function`` raises for several, it is called again for each alone, so that one pays.
    """
    try:
        results = list(function(values))
        if len(results) != len(values):
            raise TypeError(f"expected {len(values)} results, received {len(results)}")  # noqa: TRY301  # treated like any other error
    except BaseException as error:  # noqa: BLE001  # as in ``invoke``: the other tasks would wait for ever
        if len(values) > 1:
            return [outcome for value in values for outcome in _outcomes([value], function)]
        return [partial(_raise, error)]
    return [partial(_identity, result) for result in results]


def _raise(error: BaseException) -> None:
    raise error


def _identity(result: object) -> object:
    return result


class BatchStages(PublishedStages):
    """The stages of one task of a batch. Time for which it waits for others is in no stage of it."""

    def __init__(self, status_slot: StatusSlot, batch: Batch, indexes: dict[str, int]) -> None:
        """Publish in ``status_slot`` while the task runs. ``indexes``: those of the worker's stages."""
        super().__init__(status_slot, indexes)
        self._batch = batch

    def gather(self, value: Any, function: Callable[[Sequence[Any]], Sequence[Any]]) -> Any:  # noqa: ANN401  # as the function
        """Wait for the other tasks, then return the result of ``function`` for ``value``."""
        self.pause()
        served = self._batch.gather(value, function)
        self.resume()
        self.add_seconds(served.seconds)
        self.publish()
        return served.outcome()


class BatchedTask:
    """One task of a batch: once it has run, its ``result`` and ``failure`` as of ``invoke``, its ``timings`` and ``measures``."""

    def __init__(self, handler: Handler, payload: bytes, stages: BatchStages, memory: int) -> None:
        """Give ``payload`` to ``handler``, which may use ``memory`` bytes for it."""
        self.stages = stages
        self.stages.memory = memory
        self.result: bytes | PendingResult = b""
        self.failure: Failure | None = None
        self.timings: dict[str, float] = {}
        self.measures: dict[str, int] = {}
        self._call = partial(invoke, handler, payload, stages)

    def run(self) -> None:
        """Call the handler."""
        self.result, self.failure = self._call()
        self.timings, self.measures = self.stages.finish()
