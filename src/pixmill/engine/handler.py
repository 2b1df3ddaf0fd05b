"""The code that turns a task into a result, and how a worker process finds it."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from pixmill.core.object_reference import import_object, reference
from pixmill.core.phases import Phases
from pixmill.engine.resources.sandbox import Sandbox


class Stages(Protocol):
    """Where a handler says what it is doing. One instance for a worker's life."""

    def enter(self, stage: str) -> None:
        """Say that ``stage`` begins now (``read``, ``decode``, ...). Microseconds; seen by the parent even after a crash."""

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to what this task has counted under ``measure`` (``bytes_in``, ``pixels``, ...).

        The engine gives the names no meaning: it sends the totals with the answer, as ``Done.measures``, and adds them up.
        """

    def reserve_memory(self, memory: int) -> None:
        """Say that the rest of this task will use up to ``memory`` bytes, once that is known and before they are used.

        Raises when that is more than the task may use now, and is not to be caught: the engine tries it again when nothing
        else runs, and fails it with code ``limit-memory`` when it does not fit even then.
        """


class PendingResult(msgspec.Struct, frozen=True):
    """A result that is computed and not yet durable, and ``settle``, whose steps make it so or raise as a handler does.

    The engine takes the steps, perhaps in another thread and while the handler is at the next task, with stages of their own,
    and answers the task after the last. Between two of them other results take theirs: a step ends before something that is
    waited for once if all wait for it together. None may run code that can crash. ``size``: the bytes that are held until then.
    """

    result: bytes
    commit: Callable[[Stages], Phases]
    size: int


class Handler(Protocol):
    """Turns one task's payload into a result. Called in a worker process, for one task at a time."""

    def __call__(self, payload: bytes, stages: Stages) -> bytes | PendingResult:
        """Return the result, durable or with what makes it so; raise to fail the task.

        A ``PixmillError`` becomes a ``Failure`` with its code, stage, message, hint and ``retryable``; a ``RunError`` a fatal
        one, and so does a ``ConfigError`` that is not about an address or an extra; ``Skip`` leaves the task alone. Any other
        exception becomes code ``handler`` with a trimmed traceback.
        """


class Skip(Exception):  # an answer, not an error
    """Raised by a handler that leaves its task alone: it is skipped, and found again by the next run."""

    def __init__(self, reason: str) -> None:
        """Give the ``reason`` as a stable word."""
        super().__init__(reason)
        self.reason = reason


class HandlerRef(msgspec.Struct, frozen=True):
    """How a worker process finds a handler.

    ``factory`` is ``package.module:name`` or ``/path/to/file.py:name``: a callable that takes ``options`` (bytes, opaque to
    the engine) and returns a ``Handler``. With ``plain`` set the callable itself is the work: it is given the payload and
    returns the result. ``preload`` names modules to import once, before workers are forked.

    ``threads``: how many threads it may start in a worker; where not so many are allowed, fewer workers are started.
    ``confinement``: what a worker may do once the handler is loaded; ``None`` for whatever this process may. ``per_core``: how many
    workers keep a core busy, more than one where they wait for a network.
    """

    factory: str
    options: bytes = b""
    plain: bool = False
    preload: tuple[str, ...] = ()
    threads: int = 0
    confinement: Sandbox | None = None
    per_core: int = 1

    @classmethod
    def to(cls, function: Callable[[bytes], bytes]) -> "HandlerRef":
        """Return the reference to a plain function ``bytes -> bytes`` at the top level of a module or script."""
        return cls(reference(function), plain=True)

    def load(self) -> Handler:
        """Import the handler and build it. Called in the worker."""
        made = import_object(self.factory)
        if self.plain:
            return lambda payload, stages: made(payload)  # noqa: ARG005  # a plain function has no stages
        handler: Handler = made(self.options)
        return handler
