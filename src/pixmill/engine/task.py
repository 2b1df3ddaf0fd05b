"""The unit of work, and how it ended."""

import hashlib
from enum import StrEnum
from typing import Self

import msgspec


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A unit of work.

    ``id``: 16 bytes derived from all that decides the result (the input's identity, the recipe, the engine version): the
    same id means the same result. ``key``: the stable name of the unit, unique in a run; a later version of the same unit
    has the same key and another id. ``payload``: what the handler gets, an address and options, never the data itself.
    """

    id: bytes
    key: bytes
    payload: bytes = b""

    @classmethod
    def of(cls, key: str | bytes, payload: bytes = b"", *, version: bytes = b"") -> Self:
        """Return a task whose id follows from its key, its payload and ``version``: whatever else decides the result."""
        name = key.encode("utf-8", "surrogateescape") if isinstance(key, str) else key
        parts = b"".join(len(part).to_bytes(8, "little") + part for part in (name, payload, version))
        return cls(hashlib.blake2b(parts, digest_size=16).digest(), name, payload)


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """One try of ``task``: the ``number``-th over all runs, ``alone`` when nothing else may share its worker.

    ``memory`` is what it may use, in bytes; 0 for no bound. ``exclusive``: that is all there is, since nothing else runs anywhere.
    """

    task: Task
    number: int = 1
    isolated: bool = False
    memory: int = 0
    exclusive: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a task failed: a record that crosses processes and is kept, never a live exception.

    ``code`` is stable; ``stage`` is where in the handler; ``message`` a sentence; ``hint`` what to do about it.
    ``retryable``: the same task may succeed later (EIO). ``fatal``: it is the environment, not the task (disk full): the run
    ends and the task stays pending. ``signal`` and ``peak_rss`` (bytes) are the evidence of a dead worker. ``trace`` is the
    trimmed traceback of foreign code. ``node`` is the machine of a cluster that it happened on, empty without one.
    """

    code: str
    stage: str
    message: str
    hint: str = ""
    retryable: bool = False
    fatal: bool = False
    signal: int = 0
    peak_rss: int = 0
    trace: str = ""
    node: str = ""


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The handler returned ``result``.

    ``seconds`` by the worker's clock; ``timings`` are seconds by stage; ``measures`` what the handler counted, by name. The
    stage ``queue`` is before them all and not among ``seconds``: on the way to a worker, behind what it was at, and back.
    ``node`` is the machine of a cluster that did it.
    """

    task: Task
    result: bytes = b""
    attempts: int = 1
    seconds: float = 0.0
    timings: dict[str, float] = {}
    measures: dict[str, int] = {}
    node: str = ""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The task failed for good. ``remembered``: it failed in an earlier run and was not tried in this one."""

    task: Task
    failure: Failure
    attempts: int = 1
    seconds: float = 0.0
    remembered: bool = False


UNCHANGED = "unchanged"


class Skipped(msgspec.Struct, frozen=True, kw_only=True, tag="skipped"):
    """There was nothing to do: ``reason`` is ``unchanged`` when the ledger holds it as done, else what the handler said."""

    task: Task
    reason: str = UNCHANGED


Outcome = Done | Failed | Skipped


class State(StrEnum):
    """What the ledger holds of a task."""

    PENDING = "pending"
    #: found, not finished: it will be tried by this run or the next
    DONE = "done"
    #: its result is durable
    FAILED = "failed"
    #: tried as often as it may be; it stays so until its id changes or a retry is asked for


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks there are of each kind. ``found`` is always the sum of the others."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    pending: int = 0

    @property
    def found(self) -> int:
        """Return the number of all tasks."""
        return self.done + self.skipped + self.failed + self.pending
