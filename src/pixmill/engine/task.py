"""The unit of work and its outcome."""

import hashlib
from enum import StrEnum
from typing import Self

import msgspec


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A unit of work.

    ``id``: 16 bytes derived from everything that determines the result (the input's identity, the recipe, the engine version):
    the same id means the same result. ``key``: the stable name of the unit, unique in a run; a later version of the same unit has
    the same key and another id. ``payload``: passed to the handler; an address and options, never the data itself.
    """

    id: bytes
    key: bytes
    payload: bytes = b""

    @classmethod
    def of(cls, key: str | bytes, payload: bytes = b"", *, version: bytes = b"") -> Self:
        """Return a task whose id is derived from its key, its payload and ``version``: anything else that determines the result."""
        name = key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
        parts = b"".join(len(part).to_bytes(8, "little") + part for part in (name, payload, version))
        return cls(hashlib.blake2b(parts, digest_size=16).digest(), name, payload)


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """One attempt at ``task``: the ``number``-th over all runs. An ``isolated`` attempt gets a fresh worker to itself.

    ``memory``: the bytes that it may use; 0 for no limit. An ``exclusive`` attempt may use all of the memory, since nothing else
    runs anywhere. ``deaths``: the runs that died while the task was at work.
    """

    task: Task
    number: int = 1
    isolated: bool = False
    memory: int = 0
    exclusive: bool = False
    deaths: int = 0


class BegunTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that was at work when its run died: its attempt ``started_at``, seconds since the epoch, and had ``seconds``.

    ``alone``: nothing else was at work, because the task was already a suspect.
    """

    id: bytes
    started_at: float
    seconds: float
    alone: bool


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a task failed: a record that is sent between processes and stored, never a live exception.

    ``code`` is stable; ``stage`` is the handler's stage; ``message`` is a sentence; ``hint`` suggests a remedy; ``options`` are
    those with which the task may succeed, each with the least value that suffices (``True`` for a switch). ``retryable``: the
    same task may succeed later (EIO), after ``retry_after`` seconds at the earliest; if these are given, no worker is to blame.
    ``fatal``: the environment is at fault, not the task (disk full): the run ends and the task
    stays pending. ``signal`` and ``peak_rss`` (bytes) are the evidence left by a dead worker. ``trace`` is the traceback without
    the frames of the engine. ``node`` is the cluster node where it happened, empty without a cluster. ``evidence`` is the handler's
    own: what the failure was due to.
    """

    code: str
    stage: str
    message: str
    hint: str = ""
    retryable: bool = False
    retry_after: float = 0.0
    fatal: bool = False
    signal: int = 0
    peak_rss: int = 0
    trace: str = ""
    node: str = ""
    options: dict[str, bool | int | str] = {}
    evidence: dict[str, int | str] = {}


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The handler returned ``result``.

    ``seconds`` by the worker's clock; ``timings`` are seconds by stage; ``measures`` are the handler's counts by name. The stage
    ``queue`` precedes the others and is not part of ``seconds``: queueing and transit time, to the worker and back.
    ``node`` is the cluster node that ran the task.
    """

    task: Task
    result: bytes = b""
    attempts: int = 1
    seconds: float = 0.0
    timings: dict[str, float] = {}
    measures: dict[str, int] = {}
    node: str = ""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The task failed permanently. ``remembered``: it failed in an earlier run and was not attempted in this one."""

    task: Task
    failure: Failure
    attempts: int = 1
    seconds: float = 0.0
    remembered: bool = False


UNCHANGED = "unchanged"


class Skipped(msgspec.Struct, frozen=True, kw_only=True, tag="skipped"):
    """There was nothing to do. ``reason`` is ``unchanged`` if the ledger has it as done, else the reason given.

    With a ``result``, the handler found that the task is done, and the ledger records that.
    """

    task: Task
    reason: str = UNCHANGED
    result: bytes = b""


Outcome = Done | Failed | Skipped


class State(StrEnum):
    """The state of a task in the ledger."""

    PENDING = "pending"
    #: found, not finished: this run or the next will attempt it
    DONE = "done"
    #: its result is durable
    FAILED = "failed"
    #: all attempts are used up; stays failed until its id changes or a retry is requested


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The number of tasks by outcome. ``found`` is always the sum of the others."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    pending: int = 0

    @property
    def found(self) -> int:
        """Return the number of all tasks."""
        return self.done + self.skipped + self.failed + self.pending
