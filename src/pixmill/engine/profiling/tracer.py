"""Trace one task call by call: calls of Python functions and calls into C, grouped by stage.

Tracing adds about a microsecond to each call of a Python function; the time spent in C is not affected. Threads that a C library
starts are invisible: their time counts as part of the call that waits for them.
"""

import sys
import time
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FrameType, TracebackType
from typing import Any, Self

import msgspec

from pixmill.engine.handler import Stages

MAX_EVENTS = 60_000  # opening and closing events of one trace; later ones are dropped
IMPORT_MACHINERY = "importlib"  # in a file name: calls within an import are skipped, since they would drown all others


class StackFrame(msgspec.Struct, frozen=True, array_like=True):
    """A function or a stage. ``file`` and ``line`` say where it is defined; empty and 0 if it is not a Python function."""

    name: str
    file: str = ""
    line: int = 0


class TraceEvent(msgspec.Struct, frozen=True, array_like=True):
    """The start or end of ``frames[frame]``, ``at`` seconds after the trace began."""

    opens: bool
    frame: int
    at: float


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The trace of one task: its ``name``, when it ``began`` in seconds since the epoch, and its balanced ``events``.

    ``is_truncated``: later events were dropped.
    """

    name: bytes
    began: float
    seconds: float
    frames: tuple[StackFrame, ...]
    events: tuple[TraceEvent, ...]
    is_truncated: bool


class Tracer:
    """Traces the current thread within a ``with`` block. ``clock`` returns seconds and never goes back."""

    def __init__(self, *, max_events: int = MAX_EVENTS, clock: Callable[[], float] = time.perf_counter) -> None:
        """Start no trace yet; ``max_events``: stop after this many events."""
        self._max_events = max_events
        self._clock = clock
        self._began = self._ended = 0.0
        self._started_at = 0.0
        self._stage: int | None = None
        self._stack: list[int] = []
        self._events: list[TraceEvent] = []
        self._frame_indexes: dict[object, int] = {}
        self._frames: list[StackFrame] = []
        self._skip_depth = 0  # open calls within a call whose inner calls are skipped
        self._skips_own_code = False
        self._is_truncated = False

    def __enter__(self) -> Self:
        """Start tracing."""
        self._started_at = time.time()
        self._began = self._clock()
        sys.setprofile(self._profile_hook)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop tracing."""
        self._end()
        self._ended = self._clock() - self._began

    def enter(self, stage: str) -> None:
        """Begin ``stage``: open calls are split in two, so that all calls of a stage are below it."""
        if self._is_truncated:
            return
        now = self._clock() - self._began
        self._close_all(now)
        self._stage = self._index(stage, lambda: StackFrame(stage))
        self._events.extend(TraceEvent(opens=True, frame=frame, at=now) for frame in (self._stage, *self._stack))

    def trace(self, name: bytes) -> Trace:
        """Return the trace, named ``name``."""
        events, frames = tuple(self._events), tuple(self._frames)
        return Trace(
            name=name, began=self._started_at, seconds=self._ended, frames=frames, events=events, is_truncated=self._is_truncated
        )

    def _profile_hook(self, frame: FrameType, event: str, argument: Any) -> None:  # noqa: ANN401  # a builtin, a value or nothing
        now = self._clock() - self._began
        if self._skip_depth:
            self._skip(event, now)
        elif event == "call":
            self._call(frame.f_code, now)
        elif event == "c_call":
            self._open(self._index(argument, lambda: _builtin(argument)), now)
        elif self._stack:  # calls that were open when the trace began end without a start
            self._events.append(TraceEvent(opens=False, frame=self._stack.pop(), at=now))

    def _call(self, code: CodeType, now: float) -> None:
        """Open ``code``. Of an import only the outermost call is shown, and of this module nothing."""
        self._skips_own_code = code.co_filename == __file__
        self._skip_depth = int(self._skips_own_code or IMPORT_MACHINERY in code.co_filename)
        if not self._skips_own_code:
            self._open(self._index(code, lambda: _function(code)), now)

    def _skip(self, event: str, now: float) -> None:
        """Count nested calls, to detect the end of the call whose inner calls are skipped."""
        self._skip_depth += (event == "call") - (event == "return")
        if not self._skip_depth and not self._skips_own_code and self._stack:
            self._events.append(TraceEvent(opens=False, frame=self._stack.pop(), at=now))

    def _open(self, index: int, now: float) -> None:
        self._stack.append(index)
        self._events.append(TraceEvent(opens=True, frame=index, at=now))
        if len(self._events) + len(self._stack) >= self._max_events:
            self._is_truncated = True
            self._end()

    def _index(self, function: object, describe: Callable[[], StackFrame]) -> int:
        key = function if isinstance(function, CodeType | str) else describe()  # a bound builtin is a new object at every call
        if key not in self._frame_indexes:
            self._frame_indexes[key] = len(self._frames)
            self._frames.append(describe())
        return self._frame_indexes[key]

    def _end(self) -> None:
        sys.setprofile(None)
        self._close_all(self._clock() - self._began)
        self._stack.clear()
        self._stage = None

    def _close_all(self, now: float) -> None:
        bottom = [] if self._stage is None else [self._stage]
        self._events.extend(TraceEvent(opens=False, frame=frame, at=now) for frame in reversed([*bottom, *self._stack]))


class TracedStages(Stages):
    """Forwards the reports of a handler, and passes its stages to ``tracer``, too."""

    def __init__(self, stages: Stages, tracer: Tracer) -> None:
        """Forward to ``stages`` and ``tracer``."""
        self._stages = stages
        self._tracer = tracer

    def enter(self, stage: str) -> None:
        """Report that ``stage`` begins."""
        self._stages.enter(stage)
        self._tracer.enter(stage)

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to ``measure``."""
        self._stages.count(measure, amount)

    def reserve_memory(self, memory: int) -> None:
        """Declare that up to ``memory`` bytes will be used."""
        self._stages.reserve_memory(memory)


def _function(code: CodeType) -> StackFrame:
    return StackFrame(code.co_qualname, _short(code.co_filename), code.co_firstlineno)


def _builtin(function: BuiltinFunctionType) -> StackFrame:
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None) or repr(type(function))
    return StackFrame(f"{module}.{name}" if module and module != "builtins" else str(name))


def _short(path: str) -> str:
    """Return ``path`` from the package on, since a profile should not reveal where packages are installed."""
    for root in ("site-packages/", "dist-packages/", f"python{sys.version_info.major}.{sys.version_info.minor}/", "src/"):
        _, separator, relative_path = path.rpartition(f"/{root}")
        if separator:
            return relative_path
    return path
