"""The code that turns a task into a result, and the reference by which a worker process finds it."""

import socket
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import msgspec

from pixmill.core.object_reference import import_object, reference
from pixmill.core.phases import Phases
from pixmill.engine.broker import BrokerRef
from pixmill.engine.resources.sandbox import Sandbox

Value = TypeVar("Value")


class Stages(Protocol):
    """How a handler reports its progress. A worker has one instance for its lifetime."""

    def enter(self, stage: str) -> None:
        """Report that ``stage`` (``read``, ``decode``, ...) begins. Takes microseconds; the parent sees it even after a crash."""

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to this task's total for ``measure`` (``bytes_in``, ``pixels``, ...).

        The names mean nothing to the engine: it sends the totals with the result, as ``Done.measures``, and adds them up.
        """

    def reserve_memory(self, memory: int) -> None:
        """Declare that the remainder of this task will use up to ``memory`` bytes. Call it before using them.

        Raises if that is more than the task may use now. Do not catch the error: the engine retries the task when nothing
        else runs, and fails it with code ``limit-memory`` if it does not fit even then.
        """

    def gather(self, value: Value, function: Callable[[Sequence[Value]], Sequence[Value]]) -> Value:
        """Return the result that ``function`` has for ``value``, perhaps together with those of other tasks.

        ``HandlerRef.batch_size`` tells how many tasks a worker handles together. ``function`` is called once for all that gather
        for an equal one; if it raises, again for each value alone.
        """
        (result,) = function([value])
        return result

    def take_input(self) -> object:
        """Return the result of the handler's ``read_ahead`` for this task, once, or raise what it raised.

        ``None`` if it was not called, or the result was taken before.
        """
        return None


class PendingResult(msgspec.Struct, frozen=True):
    """A result that is computed but not yet durable: ``commit``, whose steps make it durable and return it, or raise as a handler.

    The engine runs the steps, perhaps in another thread while the handler works on the next task, with stages of their own,
    and completes the task after the last one. Steps of several results alternate: end a step before an operation, such as an
    fsync, whose wait a group of results can share. No step may run code that can crash. ``size``: the bytes held in memory
    until then.
    """

    commit: Callable[[Stages], Phases[bytes]]
    size: int


class Deferred(msgspec.Struct, frozen=True):
    """No result yet: the coordinator must decide something first, from ``finding``, and sends the task again as it is then."""

    finding: bytes


class Handler(Protocol):
    """Turns the payload of a task into a result. Called in a worker process, for one task at a time."""

    def __call__(self, payload: bytes, stages: Stages) -> bytes | PendingResult | Deferred:
        """Return the durable result, or a ``PendingResult`` that makes it durable, or a ``Deferred``; raise to fail the task.

        A ``PixmillError`` becomes a ``Failure`` with its code, stage, message, hint and ``retryable``. A ``RunError`` becomes a
        fatal failure, and so does a ``ConfigError`` that is not about an address or an extra. ``Skip`` skips the task. Any other
        exception becomes a failure with code ``handler`` and a trimmed traceback.
        """


class HandlerRef(msgspec.Struct, frozen=True):
    """Tells a worker process how to load a handler.

    ``factory`` is ``package.module:name`` or ``/path/to/file.py:name``: a callable that takes ``options`` (bytes, opaque to the
    engine) and returns a ``Handler``. With ``plain`` the callable is itself the handler: it takes the payload and returns the
    result. ``preload`` names modules to import once, before workers are forked.

    ``threads``: how many threads the handler may start in a worker; if the process limit does not allow them, fewer workers
    start. ``confinement``: the sandbox that a worker enters once the handler is loaded; ``None`` for none. ``broker``: the process
    that does what the sandbox forbids; if there is one, ``factory`` also takes this worker's connection to it. ``per_core``: how
    many workers keep a core busy, more than one if they wait for a network.

    ``held_memory``: the bytes that each worker holds once the handler is loaded. ``load_timeout``: how many seconds that may take,
    if longer than a task. ``close_timeout``: how many seconds idle workers have to end in good order, and to call ``close`` of a
    handler that has one; 0 kills them at once.

    ``batch_size``: how many tasks a worker handles together, if there are as many; it is one if a task has killed a worker.

    ``resources``: what each worker needs of a node of a cluster besides a core, by the engine's name for it, such as ``GPU``, and
    how much. On this machine they are not checked.

    ``read_ahead``: the inputs of how many tasks a worker reads, each in a thread, while it handles one. The handler's method
    ``read_ahead`` is called for that, with the payload of a task, and must return within a limited time.
    """

    factory: str
    options: bytes = b""
    plain: bool = False
    preload: tuple[str, ...] = ()
    threads: int = 0
    confinement: Sandbox | None = None
    broker: BrokerRef | None = None
    per_core: int = 1
    held_memory: int = 0
    load_timeout: float = 0.0
    close_timeout: float = 0.0
    batch_size: int = 1
    resources: tuple[tuple[str, float], ...] = ()
    read_ahead: int = 0

    @classmethod
    def to(cls, function: Callable[[bytes], bytes]) -> "HandlerRef":
        """Return a reference to a plain function ``bytes -> bytes`` at the top level of a module or script."""
        return cls(reference(function), plain=True)

    def load(self, broker: socket.socket | None = None) -> Handler:
        """Import the handler and build it, with a connection to the ``broker`` if there is one. Called in the worker."""
        factory = import_object(self.factory)
        if self.plain:
            return lambda payload, stages: factory(payload)  # noqa: ARG005  # a plain function has no stages
        handler: Handler = factory(self.options, broker) if broker else factory(self.options)
        return handler


def close_handler(handler: Handler) -> None:
    """Call the method ``close`` of a handler that has one; an error of it is only printed, since all tasks are done."""
    close = getattr(handler, "close", None)
    if close is not None:
        try:
            close()
        except Exception:  # noqa: BLE001  # code of users can raise anything
            sys.excepthook(*sys.exc_info())
