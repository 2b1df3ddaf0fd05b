"""Trace a few of many tasks in each worker, evenly over all that it does, at a cost that does not grow with their number."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from pixmill.core.object_reference import import_object
from pixmill.engine.handler import Handler, HandlerRef, PendingResult, Stages
from pixmill.engine.profiling.tracer import TracedStages, Tracer

MAX_TRACES = 16  # traces of one worker; when there would be more, every other one goes and half as many are made from then on
STAGE = "profile"  # in which a trace is written, so that no stage of the task is charged for it


class SamplingOptions(msgspec.Struct, frozen=True):
    """What is traced, where traces go, and what names a task: ``package.module:name`` of a function of its payload."""

    factory: str
    options: bytes
    plain: bool
    folder: str
    name_of: str


class SampledHandler:
    """A handler that traces some of the tasks that it passes on."""

    def __init__(self, handler: Handler, folder: Path, name_of: Callable[[bytes], bytes]) -> None:
        """Pass tasks to ``handler``, and put traces into ``folder``."""
        self._handler = handler
        self._folder = folder
        self._name_of = name_of
        self._kept: list[Path] = []
        self._seen = 0
        self._stride = 1

    def __call__(self, payload: bytes, stages: Stages) -> bytes | PendingResult:
        """Do the task, and trace it if it is its turn: to its end, which is then not left to another thread."""
        self._seen += 1
        if (self._seen - 1) % self._stride:
            return self._handler(payload, stages)
        tracer = Tracer()
        try:
            with tracer:
                return self._complete(payload, TracedStages(stages, tracer))
        finally:
            stages.enter(STAGE)
            with suppress(OSError):  # a disk that is full ends a profile, not a task
                self._keep(msgspec.msgpack.encode(tracer.trace(self._name_of(payload))))

    def _complete(self, payload: bytes, stages: Stages) -> bytes:
        result = self._handler(payload, stages)
        if not isinstance(result, PendingResult):
            return result
        for _ in result.commit(stages):
            pass
        return result.result

    def _keep(self, trace: bytes) -> None:
        path = self._folder / f"{os.getpid()}-{self._seen}.trace"
        path.write_bytes(trace)
        self._kept.append(path)
        if len(self._kept) > MAX_TRACES:
            for other in self._kept[1::2]:
                other.unlink()
            self._kept = self._kept[::2]
            self._stride *= 2


def sampled_handler(options: bytes) -> SampledHandler:
    """Build the handler from packed ``SamplingOptions``: what a ``HandlerRef`` names."""
    asked = msgspec.msgpack.decode(options, type=SamplingOptions)
    inner = HandlerRef(asked.factory, asked.options, plain=asked.plain).load()
    return SampledHandler(inner, Path(asked.folder), import_object(asked.name_of))


def with_sampling(handler: HandlerRef, folder: Path, name_of: str) -> HandlerRef:
    """Return the reference to ``handler`` with some of its tasks traced into ``folder``, which its workers may write to."""
    asked = SamplingOptions(handler.factory, handler.options, handler.plain, str(folder), name_of)
    confinement = handler.confinement
    if confinement is not None:
        confinement = msgspec.structs.replace(confinement, writable=(*confinement.writable, os.fsencode(folder)))
    factory = f"{__name__}:{sampled_handler.__name__}"
    return msgspec.structs.replace(
        handler, factory=factory, options=msgspec.msgpack.encode(asked), plain=False, confinement=confinement
    )
