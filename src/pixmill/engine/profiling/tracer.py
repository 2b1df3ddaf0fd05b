"""What one task spent its time on, call by call: Python's own and those into C, below the stage that they were made in.

Each call into Python costs about a microsecond more while it is traced; the time of what it calls in C is as it always is. Threads
that a C library starts are not seen: their time is that of the call that waits for them.
"""

import sys
import time
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FrameType, TracebackType
from typing import Any, Self

import msgspec

from pixmill.engine.handler import Stages

MAX_EVENTS = 60_000  # openings and closings of one trace; what comes after is left out
IMPORTING = "importlib"  # in the name of a file: what happens in an import would bury what is imported


class StackFrame(msgspec.Struct, frozen=True, array_like=True):
    """A function, or a stage. ``file`` and ``line`` say where it is defined, and are empty for what is not Python."""

    name: str
    file: str = ""
    line: int = 0


class TraceEvent(msgspec.Struct, frozen=True, array_like=True):
    """The opening or closing of ``frames[frame]``, ``at`` seconds after the trace began."""

    opens: bool
    frame: int
    at: float


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One task: its ``name``, when it began in seconds since the epoch, and its balanced steps.

    ``is_truncated``: there were more.
    """

    name: bytes
    began: float
    seconds: float
    frames: tuple[StackFrame, ...]
    steps: tuple[TraceEvent, ...]
    is_truncated: bool


class Tracer:
    """Traces what this thread does within the block. ``clock`` gives seconds that only grow."""

    def __init__(self, *, most: int = MAX_EVENTS, clock: Callable[[], float] = time.perf_counter) -> None:
        """Trace nothing yet; stop after ``most`` steps."""
        self._most = most
        self._clock = clock
        self._began = self._ended = 0.0
        self._started_at = 0.0
        self._stage: int | None = None
        self._stack: list[int] = []
        self._steps: list[TraceEvent] = []
        self._known: dict[object, int] = {}
        self._frames: list[StackFrame] = []
        self._skip_depth = 0  # calls that are open inside of one whose inside is not shown
        self._skips_own_code = False
        self._is_truncated = False

    def __enter__(self) -> Self:
        """Begin."""
        self._started_at = time.time()
        self._began = self._clock()
        sys.setprofile(self._profile_hook)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._end()
        self._ended = self._clock() - self._began

    def enter(self, stage: str) -> None:
        """Say that ``stage`` begins: what is open is cut in two, so that all calls of a stage are below it."""
        if self._is_truncated:
            return
        now = self._clock() - self._began
        self._close_all(now)
        self._stage = self._index(stage, lambda: StackFrame(stage))
        self._steps.extend(TraceEvent(opens=True, frame=frame, at=now) for frame in (self._stage, *self._stack))

    def trace(self, name: bytes) -> Trace:
        """Return what was traced, as the trace of the task ``name``."""
        steps, frames = tuple(self._steps), tuple(self._frames)
        return Trace(
            name=name, began=self._started_at, seconds=self._ended, frames=frames, steps=steps, is_truncated=self._is_truncated
        )

    def _profile_hook(self, frame: FrameType, event: str, argument: Any) -> None:  # noqa: ANN401  # a builtin, a value or nothing
        now = self._clock() - self._began
        if self._skip_depth:
            self._skip(event, now)
        elif event == "call":
            self._call(frame.f_code, now)
        elif event == "c_call":
            self._open(self._index(argument, lambda: _builtin(argument)), now)
        elif self._stack:  # what was open when it began ends without a beginning
            self._steps.append(TraceEvent(opens=False, frame=self._stack.pop(), at=now))

    def _call(self, code: CodeType, now: float) -> None:
        """Open ``code``; of an import only that, and nothing of our own."""
        self._skips_own_code = code.co_filename == __file__
        self._skip_depth = int(self._skips_own_code or IMPORTING in code.co_filename)
        if not self._skips_own_code:
            self._open(self._index(code, lambda: _function(code)), now)

    def _skip(self, event: str, now: float) -> None:
        """Follow calls only to know when the one ends whose inside is not shown."""
        self._skip_depth += (event == "call") - (event == "return")
        if not self._skip_depth and not self._skips_own_code and self._stack:
            self._steps.append(TraceEvent(opens=False, frame=self._stack.pop(), at=now))

    def _open(self, index: int, now: float) -> None:
        self._stack.append(index)
        self._steps.append(TraceEvent(opens=True, frame=index, at=now))
        if len(self._steps) + len(self._stack) >= self._most:
            self._is_truncated = True
            self._end()

    def _index(self, what: object, describe: Callable[[], StackFrame]) -> int:
        key = what if isinstance(what, CodeType | str) else describe()  # a bound builtin is another object at every call
        if key not in self._known:
            self._known[key] = len(self._frames)
            self._frames.append(describe())
        return self._known[key]

    def _end(self) -> None:
        sys.setprofile(None)
        self._close_all(self._clock() - self._began)
        self._stack.clear()
        self._stage = None

    def _close_all(self, now: float) -> None:
        bottom = [] if self._stage is None else [self._stage]
        self._steps.extend(TraceEvent(opens=False, frame=frame, at=now) for frame in reversed([*bottom, *self._stack]))


class TracedStages(Stages):
    """Passes on what a handler says, and tells ``tracer`` of the stages."""

    def __init__(self, stages: Stages, tracer: Tracer) -> None:
        """Take both."""
        self._stages = stages
        self._tracer = tracer

    def enter(self, stage: str) -> None:
        """Say that ``stage`` begins."""
        self._stages.enter(stage)
        self._tracer.enter(stage)

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to ``measure``."""
        self._stages.count(measure, amount)

    def reserve_memory(self, memory: int) -> None:
        """Say how much memory is about to be used."""
        self._stages.reserve_memory(memory)


def _function(code: CodeType) -> StackFrame:
    return StackFrame(code.co_qualname, _short(code.co_filename), code.co_firstlineno)


def _builtin(called: BuiltinFunctionType) -> StackFrame:
    module = getattr(called, "__module__", None)
    name = getattr(called, "__qualname__", None) or repr(type(called))
    return StackFrame(f"{module}.{name}" if module and module != "builtins" else str(name))


def _short(path: str) -> str:
    """Return ``path`` from the package on: where packages are installed is nobody's business."""
    for root in ("site-packages/", "dist-packages/", f"python{sys.version_info.major}.{sys.version_info.minor}/", "src/"):
        _, found, rest = path.rpartition(f"/{root}")
        if found:
            return rest
    return path
