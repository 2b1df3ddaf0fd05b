"""Trace a sample of the tasks in each worker, spread evenly over all of them, at a cost independent of their number."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.core.object_reference import import_object
from pixmill.core.phases import completed
from pixmill.engine.handler import Deferred, Handler, HandlerRef, PendingResult, Stages, close_handler
from pixmill.engine.profiling.tracer import TracedStages, Tracer

MAX_TRACES = 16  # traces per worker; beyond that, every other trace is deleted and the sampling rate is halved
STAGE = "profile"  # the stage in which a trace is written, so that its time is not charged to a stage of the task


class SamplingOptions(msgspec.Struct, frozen=True):
    """The handler to trace, the ``folder`` for traces, and ``name_of``: ``package.module:name`` of a function of the payload.

    That function returns the name of the task.
    """

    factory: str
    options: bytes
    plain: bool
    folder: str
    name_of: str


class SampledHandler:
    """A handler that passes all tasks to another handler and traces some of them."""

    def __init__(self, handler: Handler, folder: Path, name_of: Callable[[bytes], bytes]) -> None:
        """Pass tasks to ``handler``, and write traces to ``folder``."""
        self._handler = handler
        self._folder = folder
        self._name_of = name_of
        self._trace_files: list[Path] = []
        self._task_count = 0
        self._stride = 1

    def __call__(self, payload: bytes, stages: Stages) -> bytes | PendingResult | Deferred:
        """Process the task. A sampled task is traced, and committed here rather than in another thread."""
        self._task_count += 1
        if (self._task_count - 1) % self._stride:
            return self._handler(payload, stages)
        tracer = Tracer()
        try:
            with tracer:
                return self._complete(payload, TracedStages(stages, tracer))
        finally:
            stages.enter(STAGE)
            with suppress(OSError):  # a full disk costs a trace, not the task
                self._write(msgspec.msgpack.encode(tracer.trace(self._name_of(payload))))

    def close(self) -> None:
        """Close the other handler."""
        close_handler(self._handler)

    def _complete(self, payload: bytes, stages: Stages) -> bytes | Deferred:
        result = self._handler(payload, stages)
        if not isinstance(result, PendingResult):
            return result
        return completed(result.commit(stages))

    def _write(self, trace: bytes) -> None:
        path = self._folder / f"{os.getpid()}-{self._task_count}.trace"
        path.write_bytes(trace)
        self._trace_files.append(path)
        if len(self._trace_files) > MAX_TRACES:
            for other in self._trace_files[1::2]:
                other.unlink()
            self._trace_files = self._trace_files[::2]
            self._stride *= 2


def sampled_handler(options: bytes, broker: socket.socket | None = None) -> SampledHandler:
    """Build the handler from encoded ``SamplingOptions``. The factory of a ``HandlerRef``."""
    sampling = msgspec.msgpack.decode(options, type=SamplingOptions)
    inner = HandlerRef(sampling.factory, sampling.options, plain=sampling.plain).load(broker)
    return SampledHandler(inner, Path(sampling.folder), import_object(sampling.name_of))


def with_sampling(handler: HandlerRef, folder: Path, name_of: str) -> HandlerRef:
    """Return a reference to ``handler`` that traces some of its tasks; the sandbox allows workers to write to ``folder``."""
    sampling = SamplingOptions(handler.factory, handler.options, handler.plain, str(folder), name_of)
    confinement = handler.confinement
    if confinement is not None:
        confinement = msgspec.structs.replace(confinement, writable=(*confinement.writable, os.fsencode(folder)))
    factory = f"{__name__}:{sampled_handler.__name__}"
    return msgspec.structs.replace(
        handler, factory=factory, options=msgspec.msgpack.encode(sampling), plain=False, confinement=confinement
    )
