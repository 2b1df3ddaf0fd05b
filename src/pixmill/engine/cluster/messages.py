"""What the coordinator and a host write to each other: MessagePack, so that no cluster engine pickles anything of ours."""

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
    """What has to be the same everywhere, lest nodes make different results. A host's first word, understood by every version."""

    python: str
    pixmill: str

    @classmethod
    def here(cls) -> Self:
        """Return those of this process."""
        package = sys.modules[__name__.partition(".")[0]]  # loaded with any part of it; to import it by name would be upward
        return cls(".".join(platform.python_version_tuple()[:2]), package.__version__)


class Inquiry(msgspec.Struct, frozen=True, tag="inquiry"):
    """Show what ``function`` returns for ``options``: the reply's ``evidence``."""

    function: str
    options: bytes


class StartPool(msgspec.Struct, frozen=True, tag="engagement"):
    """Begin: bring up ``workers`` workers on ``cores`` cores; ``None`` for as many as suit the handler.

    A host that hears nothing for ``silence`` seconds ends them by itself.
    """

    handler: HandlerRef
    policy: dict[str, Any]
    cores: int
    workers: int | None
    silence: float

    @classmethod
    def of(cls, handler: HandlerRef, policy: Policy, *, cores: int, workers: int | None, silence: float) -> Self:
        """Return the letter that engages a host."""
        return cls(handler, policy.to_builtins(), cores, workers, silence)


class RunTasks(msgspec.Struct, frozen=True, tag="work"):
    """Take these attempts, each under its lease's number, and reply within ``patience`` seconds.

    ``recall``: give back all that has not begun.
    """

    requests: tuple[tuple[int, Attempt], ...] = ()
    patience: float = 0.0
    cancel: bool = False


class Shutdown(msgspec.Struct, frozen=True, tag="dismissal"):
    """End: kill and reap every worker, then reply."""


Request = Inquiry | StartPool | RunTasks | Shutdown


class WorkerDeath(msgspec.Struct, frozen=True, array_like=True):
    """A worker died of ``failure`` while it was at the lease ``number``, or idle."""

    pid: int
    failure: Failure
    number: int | None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a host has to say: what became of leases (each exactly once), how many more it takes, and what its workers are at.

    ``memory`` is what a try may use that runs alone; ``evidence`` answers an ``Inquiry``. With ``trouble`` the host has ended, and
    whatever it held is lost.
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
    """Return the letter that a host was sent."""
    letter: Request = msgspec.msgpack.decode(data, type=Request)
    return letter


def decode_reply(data: bytes) -> Reply:
    """Return what a host replied."""
    return msgspec.msgpack.decode(data, type=Reply)


def decode_versions(data: bytes) -> Versions:
    """Return what a host said first."""
    return msgspec.msgpack.decode(data, type=Versions)
