"""What happens in a run, in the order in which observers hear of it."""

from pixmill.core.events import Event
from pixmill.engine.executor import WorkerStatus
from pixmill.engine.task import Attempt, Counts, Failure, Outcome, Task

#: of the events as they are written down; it changes when a field or a kind changes its meaning or goes away
EVENTS_VERSION = 1


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """The executor is up and the first task may come. ``run`` is the ledger's number of this run.

    ``version`` is that of the events.
    """

    run: int
    workers: int
    version: int = EVENTS_VERSION


class TaskFound(Event, frozen=True, kw_only=True, tag="task_found"):
    """The source yielded a task; exactly one ``TaskFinished`` follows, unless the run ends first."""

    task: Task


class AttemptStarted(Event, frozen=True, kw_only=True, tag="attempt_started"):
    """A try was recorded and handed to a worker."""

    attempt: Attempt


class TaskRetried(Event, frozen=True, kw_only=True, tag="task_retried"):
    """A try failed and another will follow after ``delay`` seconds."""

    attempt: Attempt
    failure: Failure
    delay: float


class TaskFinished(Event, frozen=True, kw_only=True, tag="task_finished"):
    """The one final outcome of a task; it is in the ledger by now."""

    outcome: Outcome


class WorkerLost(Event, frozen=True, kw_only=True, tag="worker_lost"):
    """A worker process ended before its time. ``task`` is the culprit, ``None`` when it was idle."""

    pid: int
    signal: int
    reason: str
    task: Task | None = None
    node: str = ""


class Throttled(Event, frozen=True, kw_only=True, tag="throttled"):
    """A storage asked for fewer requests during a try of ``task``: so many ``refusals``, waited for in the worker for ``seconds``.

    The task is none the worse for it: it goes on, or is tried again later without counting this try.
    """

    task: Task
    refusals: int
    seconds: float


class NodeRefused(Event, frozen=True, kw_only=True, tag="node_refused"):
    """A node of the cluster gets no work in this run, because it could not show that its results would be those of the others."""

    node: str
    reason: str
    hint: str = ""


class NodeSuspended(Event, frozen=True, kw_only=True, tag="node_suspended"):
    """A node of the cluster gets no more work: others have done what failed there, again and again."""

    node: str
    reason: str


class WorkersSeen(Event, frozen=True, kw_only=True, tag="workers_seen"):
    """A look at the workers, once a second. ``memory`` is the coordinator's own resident memory in bytes."""

    memory: int
    posts: tuple[WorkerStatus, ...]


class RunStalled(Event, frozen=True, kw_only=True, tag="run_stalled"):
    """Nothing has finished for ``seconds``. ``posts`` are the workers that are at something."""

    seconds: float
    posts: tuple[WorkerStatus, ...]


class SourceExhausted(Event, frozen=True, kw_only=True, tag="source_exhausted"):
    """The source has no more tasks: the number found is final now."""

    found: int


class RunEnded(Event, frozen=True, kw_only=True, tag="run_ended"):
    """Nothing runs any more. ``reason`` is ``finished``, ``interrupted``, or what stopped the run."""

    counts: Counts
    reason: str
    seconds: float
