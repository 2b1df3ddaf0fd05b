"""No workers: tasks run one after the other in the calling process. For debugging a handler, and for tests of higher layers.

Nothing is isolated: a crash ends the calling process, too, and there are no deadlines.
"""

from collections import deque
from collections.abc import Sequence

from pixmill.core.errors import RunError
from pixmill.engine.clock import Clock, SystemClock
from pixmill.engine.executor import Completed, Executor, ExecutorEvent, Returned
from pixmill.engine.failures import failure_of
from pixmill.engine.handler import Handler, HandlerRef, close_handler
from pixmill.engine.ipc.status_file import Place, StatusFile
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt
from pixmill.engine.worker.invoke import invoke_and_commit
from pixmill.engine.worker.stages import StageClock

_CAPACITY = 16


class InlineExecutor(Executor):
    """Runs one attempt in each ``wait``. ``workers`` is accepted because the contract requires it, and ignored."""

    def __init__(self, *, workers: int | None = None, clock: Clock | None = None) -> None:  # noqa: ARG002  # required by the contract
        """Load nothing yet. ``clock`` times the attempts and does the waiting."""
        self._clock = clock or SystemClock()
        self._handler: Handler | None = None
        self._queue: deque[Attempt] = deque()
        self._returned: list[Attempt] = []
        self._stages = StageClock()
        self._begun = 0
        self._place: Place | None = None

    @property
    def workers(self) -> int:
        """Return 1."""
        return 1

    def show_status_in(self, status_file: StatusFile) -> None:
        """Show the current task in a page of ``status_file``."""
        self._place = status_file.open_place()

    def start(self, handler: HandlerRef, policy: Policy) -> None:  # noqa: ARG002  # no part of the policy applies
        """Load the handler; ``RunError`` when that fails."""
        try:
            self._handler = handler.load()
        except Exception as error:
            raise RunError(failure_of(error, "load").message) from error

    def capacity(self) -> int:
        """Return how many more attempts may be submitted now."""
        return _CAPACITY - len(self._queue)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Queue attempts."""
        self._queue.extend(attempts)

    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Run the next attempt, if any; otherwise sleep for ``timeout``."""
        if self._returned:
            attempts, self._returned = tuple(self._returned), []
            return [Returned(attempts=attempts)]
        if self._queue:
            return [self._run(self._queue.popleft())]
        if timeout:
            self._clock.sleep(timeout)
        return []

    def cancel_pending(self) -> None:
        """Take back the attempts that have not started."""
        self._returned.extend(self._queue)
        self._queue.clear()

    def close(self) -> None:
        """Clear the queue."""
        self._queue.clear()
        handler, self._handler = self._handler, None
        if handler:
            close_handler(handler)
        place, self._place = self._place, None
        if place:
            place.close()

    def _run(self, attempt: Attempt) -> Completed:
        if self._handler is None:
            raise RunError("the executor has not been started")
        start = self._clock.elapsed()
        if self._place:
            self._begun += 1
            self._place.begin(self._begun, attempt, start)
        self._stages.memory = attempt.memory
        result, failure = invoke_and_commit(self._handler, attempt.task.payload, self._stages)
        timings, measures = self._stages.finish()
        seconds = self._clock.elapsed() - start
        if self._place:
            self._place.end(self._begun, has_failed=failure is not None)
        return Completed(attempt=attempt, result=result, failure=failure, seconds=seconds, timings=timings, measures=measures)
