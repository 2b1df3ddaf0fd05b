"""Where tasks run: the contract of every executor. The scheduler keeps retries, attempts and the ledger to itself."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import msgspec
from msgspec.structs import replace

from pixmill.core.errors import ConfigError
from pixmill.core.events import Event
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.policy import Policy
from pixmill.engine.probe import Probe
from pixmill.engine.task import Attempt, Failure


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """The handler returned for ``attempt``: a ``result``, or a ``failure`` of its own making.

    ``timings`` are seconds by stage (``Stages.enter``), ``measures`` totals by name (``Stages.count``), both of this attempt.
    ``node`` is the machine of a cluster that it was made on, as in a failure.
    """

    attempt: Attempt
    result: bytes = b""
    failure: Failure | None = None
    seconds: float = 0.0
    timings: dict[str, float] = {}
    measures: dict[str, int] = {}
    node: str = ""

    @classmethod
    def by(cls, answer: TaskResult, *, attempt: Attempt, node: str = "") -> Self:
        """Return the report of a worker's ``answer`` to ``attempt``, given on ``node``."""
        return cls(
            attempt=attempt,
            result=answer.result,
            failure=answer.failure and replace(answer.failure, node=node) if node else answer.failure,
            seconds=answer.seconds,
            timings=answer.timings,
            measures=answer.measures,
            node=node,
        )


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """The worker died or was killed at its deadline. ``attempt`` is the one it was working on, ``None`` when it was idle.

    ``failure`` has code ``crash``, ``timeout`` or ``out-of-memory`` with the evidence.
    """

    pid: int
    failure: Failure
    attempt: Attempt | None = None


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """These attempts were submitted and never began: innocent, to be submitted again."""

    attempts: tuple[Attempt, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the observers are to hear of and that ends no attempt: an event of this ``kind`` with these ``facts``."""

    kind: type[Event]
    facts: Mapping[str, object]


ExecutorEvent = Completed | Lost | Returned | Told


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker is at: the ``key`` of the task that it has begun, for how many ``seconds`` now, and in which stage.

    ``key`` is ``None`` when it is idle. ``memory`` is its resident memory in bytes, as it last noted it. ``node`` is the machine
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
        """Return where it is, for people: *process 123 on 10.0.0.2*."""
        return f"process {self.pid} on {self.node}" if self.node else f"process {self.pid}"


class Executor(ABC):
    """Runs attempts. Every submitted attempt comes back in exactly one report.

    An executor is made with one keyword, ``workers``: how many, or ``None`` for as many as make sense where it runs. One that
    is elsewhere takes a second, ``address``, and says so by a ``connect`` of its own. One that ``has_nodes`` runs on machines that
    ``admit_by`` has checked.
    """

    has_nodes: ClassVar[bool] = False

    @classmethod
    def connect(cls, *, workers: int | None, address: str | None) -> Self:
        """Return the executor at ``address``, ``None`` for its default. ``ConfigError`` where there is none to have."""
        if address is not None:
            raise ConfigError("address: this executor runs on this machine", hint="--address goes with --executor ray or dask")
        return cls(workers=workers)  # type: ignore[call-arg]  # as every executor is made

    def admit_by(self, probe: Probe) -> None:
        """Give work to no node that does not stand up to ``probe``. Called before ``start``; without it every node gets work.

        An executor of this machine has no nodes, and nothing to check.
        """
        del probe

    @abstractmethod
    def start(self, handler: HandlerRef, policy: Policy) -> None:
        """Bring the workers up. ``RunError`` when none can be brought up."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Return the number of workers."""

    @abstractmethod
    def capacity(self) -> int:
        """Return how many more attempts may be submitted now. It adapts to how long tasks take."""

    @abstractmethod
    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts, at most ``room()`` of them; one that is ``alone`` gets a fresh worker to itself."""

    @abstractmethod
    def wait(self, timeout: float | None) -> list[ExecutorEvent]:
        """Return what has happened, waiting up to ``timeout`` seconds for something to (``None``: for as long as it takes).

        Enforces deadlines and replaces dead workers meanwhile. ``RunError`` when workers die as fast as they start.
        """

    def worker_statuses(self) -> tuple[WorkerStatus, ...]:
        """Return what each worker is at; nothing where that cannot be told. Asked about once a second."""
        return ()

    @abstractmethod
    def cancel_pending(self) -> None:
        """Ask back what has not begun; it comes as ``Returned``."""

    @abstractmethod
    def close(self) -> None:
        """Kill whatever still runs and wait for it to be gone: no process, pipe or file is left. A second call does nothing."""
