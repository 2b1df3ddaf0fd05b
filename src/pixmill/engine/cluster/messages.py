"""The messages between coordinator and node agents: MessagePack, so that no cluster engine pickles our objects."""

import platform
import sys
from typing import Any, Self

import msgspec

from pixmill.engine.executor import WorkerStatus
from pixmill.engine.handler import HandlerRef
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Failure


class Versions(msgspec.Struct, frozen=True):
    """The versions that must be the same on all nodes, or their results could differ.

    An agent sends this first; every version can decode it.
    """

    python: str
    pixmill: str

    @classmethod
    def here(cls) -> Self:
        """Return the versions of this process."""
        package = sys.modules[__name__.partition(".")[0]]  # loaded with any part of it; to import it by name would be upward
        return cls(".".join(platform.python_version_tuple()[:2]), package.__version__)


class Inquiry(msgspec.Struct, frozen=True, tag="inquiry"):
    """Return the result of ``function`` for ``options`` as the reply's ``evidence``."""

    function: str
    options: bytes


class StartPool(msgspec.Struct, frozen=True, tag="start-pool"):
    """Start ``workers`` workers on ``cores`` cores; ``None`` starts as many as suit the handler.

    An agent that receives nothing for ``silence`` seconds kills its workers. ``sharing``: how many agents share the node's memory.
    """

    handler: HandlerRef
    policy: dict[str, Any]
    cores: int
    workers: int | None
    silence: float
    sharing: int = 1

    @classmethod
    def of(cls, handler: HandlerRef, policy: Policy, *, cores: int, workers: int | None, silence: float, sharing: int = 1) -> Self:
        """Return the request, with ``policy`` as plain data."""
        return cls(handler, policy.to_builtins(), cores, workers, silence, sharing)


class RunTasks(msgspec.Struct, frozen=True, tag="run-tasks"):
    """Run these attempts, each with the number of its lease, and reply within ``timeout`` seconds.

    ``cancel``: return every attempt that has not started.
    """

    requests: tuple[tuple[int, Attempt], ...] = ()
    timeout: float = 0.0
    cancel: bool = False


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """Kill and reap every worker, then reply."""


Request = Inquiry | StartPool | RunTasks | Shutdown


class WorkerDeath(msgspec.Struct, frozen=True, array_like=True):
    """A worker died of ``failure`` while it was running the lease ``number``; ``None`` when it was idle."""

    pid: int
    failure: Failure
    number: int | None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The reply of a node agent: the outcome of leases (each exactly once), its free capacity, and its workers' statuses.

    ``memory`` is the number of bytes that an attempt may use when it runs exclusively; ``evidence`` answers an ``Inquiry``. With
    an ``error`` the agent has shut down, and its leases are lost.
    """

    workers: int = 0
    memory: int = 0
    capacity: int = 0
    results: tuple[TaskResult, ...] = ()
    deaths: tuple[WorkerDeath, ...] = ()
    returned: tuple[int, ...] = ()
    statuses: tuple[WorkerStatus, ...] = ()
    evidence: bytes = b""
    error: Failure | None = None


def encode(message: Request | Reply | Versions) -> bytes:
    """Return ``message`` as bytes."""
    return msgspec.msgpack.encode(message)


def decode_request(data: bytes) -> Request:
    """Return the request that an agent received."""
    request: Request = msgspec.msgpack.decode(data, type=Request)
    return request


def decode_reply(data: bytes) -> Reply:
    """Return the reply of an agent."""
    return msgspec.msgpack.decode(data, type=Reply)


def decode_versions(data: bytes) -> Versions:
    """Return the versions that an agent sent in its handshake."""
    return msgspec.msgpack.decode(data, type=Versions)
