"""The contract of executors, which run attempts. Retries, attempt numbers and the ledger are the scheduler's business."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import msgspec
from msgspec.structs import replace

from pixmill.core.errors import ConfigError
from pixmill.core.events import Event
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.ipc.status_file import StatusFile
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe
from pixmill.engine.task import Attempt, Failure


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The handler returned for ``attempt``: a ``result``, or a ``failure`` that it raised.

    ``timings`` are seconds by stage (``Stages.enter``), ``measures`` totals by name (``Stages.count``), both of this attempt.
    ``node`` is the cluster machine that it ran on, as in a failure.
    """

    attempt: Attempt
    result: bytes = b""
    failure: Failure | None = None
    seconds: float = 0.0
    timings: dict[str, float] = {}
    measures: dict[str, int] = {}
    node: str = ""

    @classmethod
    def from_result(cls, result: TaskResult, *, attempt: Attempt, node: str = "") -> Self:
        """Return the event for a worker's ``result`` of ``attempt``, produced on ``node``."""
        return cls(
            attempt=attempt,
            result=result.result,
            failure=result.failure and replace(result.failure, node=node) if node else result.failure,
            seconds=result.seconds,
            timings=result.timings,
            measures=result.measures,
            node=node,
        )


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A worker died or was killed at its deadline. ``attempt`` is the one it was running, ``None`` when it was idle.

    ``failure`` has code ``crash``, ``timeout`` or ``out-of-memory`` with the evidence in its fields.
    """

    pid: int
    failure: Failure
    attempt: Attempt | None = None


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """These attempts were submitted and never started: they are not to blame, and should be submitted again."""

    attempts: tuple[Attempt, ...]


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """An event for the observers that ends no attempt: its ``kind``, and its ``fields`` without the time."""

    kind: type[Event]
    fields: Mapping[str, object]


ExecutorEvent = Completed | Lost | Returned | Notification


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker is doing: the ``key`` of its task, the ``seconds`` since it started the task, and the current ``stage``.

    ``key`` is ``None`` when it is idle. ``memory`` is its resident memory in bytes, as it last measured it. ``node`` is the machine
    that it runs on, empty for this one.
    """

    pid: int
    memory: int = 0
    key: bytes | None = None
    stage: str = ""
    seconds: float = 0.0
    node: str = ""

    @property
    def location(self) -> str:
        """Return a readable location: *process 123 on 10.0.0.2*."""
        return f"process {self.pid} on {self.node}" if self.node else f"process {self.pid}"


class Executor(ABC):
    """Runs attempts. Every submitted attempt comes back in exactly one event.

    The constructor takes one keyword, ``workers``: their number, or ``None`` for a sensible default. An executor that runs
    elsewhere takes a second keyword, ``address``, and overrides ``connect``. An executor that ``has_nodes`` runs attempts only on
    machines that pass the probe of ``admit_by``.
    """

    has_nodes: ClassVar[bool] = False

    @classmethod
    def connect(cls, *, workers: int | None, address: str | None) -> Self:
        """Return the executor at ``address``; ``None`` for the default address. ``ConfigError`` if it takes no address."""
        if address is not None:
            raise ConfigError("address: this executor runs on this machine", hint="--address goes with --executor ray or dask")
        return cls(workers=workers)  # type: ignore[call-arg]  # every executor's constructor takes it

    def admit_by(self, probe: Probe) -> None:
        """Use only nodes that pass ``probe``. Called before ``start``; without it every node gets work.

        A local executor has no nodes, and nothing to check.
        """
        del probe

    def show_status_in(self, status_file: StatusFile) -> None:
        """Show in ``status_file`` which tasks have begun. Called before ``start``, if there is such a file.

        An executor that does not: no task is suspected when a run of it dies.
        """
        del status_file

    @abstractmethod
    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Start the workers. ``RunError`` when none can be started."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Return the number of workers."""

    @abstractmethod
    def capacity(self) -> int:
        """Return how many more attempts may be submitted now. The number adapts to the duration of tasks."""

    @abstractmethod
    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Queue attempts, at most ``capacity()`` of them; an ``isolated`` attempt gets a fresh worker to itself."""

    @abstractmethod
    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return the events since the last call, waiting up to ``timeout`` seconds for the first (``None``: without limit).

        Meanwhile, enforce deadlines and replace dead workers. ``RunError`` when workers die as fast as they start.
        """

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return the status of each worker; empty if the executor cannot tell. Called about once a second."""
        return ()

    @abstractmethod
    def cancel_pending(self) -> None:
        """Take back the attempts that have not started; they come as ``Returned``."""

    @abstractmethod
    def close(self) -> None:
        """Kill everything still running and wait until it is gone: no process, pipe or file remains. A second call does nothing."""
