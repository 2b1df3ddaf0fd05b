"""The events of a run, in the order in which observers receive them."""

from pixmill.core.events import Event
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.task import Attempt, Counts, Failure, Outcome, Task

#: version of the events as they are written to files; it changes when a field or a kind changes its meaning or is removed
EVENTS_VERSION = 1


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """The executor has started and tasks will follow. ``run`` is the ledger's number for this run.

    ``version`` is the version of the event format.
    """

    run: int
    workers: int
    version: int = EVENTS_VERSION


class TaskFound(Event, frozen=True, kw_only=True, tag="task_found"):
    """The source yielded a task; exactly one ``TaskFinished`` follows, unless the run ends first."""

    task: Task


class AttemptStarted(Event, frozen=True, kw_only=True, tag="attempt_started"):
    """An attempt was recorded and submitted to the executor."""

    attempt: Attempt


class TaskRetried(Event, frozen=True, kw_only=True, tag="task_retried"):
    """An attempt failed and another will follow after ``delay`` seconds."""

    attempt: Attempt
    failure: Failure
    delay: float


class TaskFinished(Event, frozen=True, kw_only=True, tag="task_finished"):
    """The one final outcome of a task; the ledger has already recorded it."""

    outcome: Outcome


class WorkerLost(Event, frozen=True, kw_only=True, tag="worker_lost"):
    """A worker process ended unexpectedly. ``task`` is the task that it was running, ``None`` when it was idle."""

    pid: int
    signal: int
    reason: str
    task: Task | None = None
    node: str = ""


class Throttled(Event, frozen=True, kw_only=True, tag="throttled"):
    """A storage throttled an attempt of ``task``: ``refusals`` requests were refused, and the worker waited ``seconds`` in all.

    This does not count against the task: the attempt goes on, or the task is tried again later without counting this attempt.
    """

    task: Task
    refusals: int
    seconds: float


class StoreHeld(Event, frozen=True, kw_only=True, tag="store_held"):
    """A store refuses requests or does not answer, so work waits. ``reason`` is the last error.

    If the store does not recover within ``timeout`` seconds, the run ends; no task fails because of it.
    """

    reason: str
    timeout: float


class StoreRecovered(Event, frozen=True, kw_only=True, tag="store_recovered"):
    """Work goes on after it waited for a store for ``seconds``."""

    seconds: float


class NodeRefused(Event, frozen=True, kw_only=True, tag="node_refused"):
    """A cluster node gets no work in this run, because it could not show that its results would match those of the other nodes."""

    node: str
    reason: str
    hint: str = ""


class NodeSuspended(Event, frozen=True, kw_only=True, tag="node_suspended"):
    """A cluster node gets no more work: other nodes have repeatedly completed tasks that failed there."""

    node: str
    reason: str


class WorkersSeen(Event, frozen=True, kw_only=True, tag="workers_seen"):
    """The status of the workers, once a second. ``memory`` is the coordinator's own resident memory in bytes."""

    memory: int
    posts: tuple[WorkerStatus, ...]


class RunStalled(Event, frozen=True, kw_only=True, tag="run_stalled"):
    """No task has finished for ``seconds``. ``posts`` are the workers that are running a task."""

    seconds: float
    posts: tuple[WorkerStatus, ...]


class SourceExhausted(Event, frozen=True, kw_only=True, tag="source_exhausted"):
    """The source has no more tasks: the number ``found`` is final."""

    found: int


class RunEnded(Event, frozen=True, kw_only=True, tag="run_ended"):
    """The run has ended. ``reason`` is ``finished``, ``interrupted``, or the reason that stopped the run.

    ``reason_code`` is the code of the error that stopped it, empty if there was none.
    """

    counts: Counts
    reason: str
    seconds: float
    reason_code: str = ""
