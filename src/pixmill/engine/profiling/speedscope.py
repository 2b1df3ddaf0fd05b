"""Traces as a file that https://www.speedscope.app opens: one profile of all of them, end to end, then one of each.

In the first, its view *left heavy* shows where the time went; the others show one task each, in the order of time.
Format: https://www.speedscope.app/file-format-schema.json
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.profiling.tracer import StackFrame, Trace, TraceEvent

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
MAX_TASKS = 150_000  # steps in one file: some 12 MB
MICROSECOND_DIGITS = 7  # of a second: what the clock can tell apart


def as_speedscope(traces: Sequence[Trace], *, name: str, exporter: str) -> dict[str, Any]:
    """Return the file as plain data. Of more traces than it has room for, it has an even selection."""
    chosen = _selection(sorted(traces, key=lambda trace: (trace.began, trace.name)))
    frames = list(dict.fromkeys(frame for trace in chosen for frame in trace.frames))
    indexes = {frame: index for index, frame in enumerate(frames)}
    begins = [0.0, *accumulate(trace.seconds for trace in chosen)]
    together = [event for trace, begin in zip(chosen, begins, strict=False) for event in _events(trace, indexes, begin)]
    whole = _profile(f"a sample of {plural(len(chosen), 'task')}", together, begins[-1])
    return {
        "$schema": SCHEMA,
        "exporter": exporter,  # first, so that a file of ours is known by its beginning
        "shared": {"frames": [_frame(frame) for frame in frames]},
        "profiles": [whole, *(_profile(_title(trace), list(_events(trace, indexes, 0.0)), trace.seconds) for trace in chosen)],
        "name": printable(name),
        "activeProfileIndex": 0,
    }


def _selection(traces: Sequence[Trace]) -> Sequence[Trace]:
    while len(traces) > 1 and sum(len(trace.steps) for trace in traces) > MAX_TASKS:
        traces = traces[::2]
    return traces


def _profile(name: str, events: list[dict[str, Any]], end: float) -> dict[str, Any]:
    return {
        "type": "evented",
        "name": name,
        "unit": "seconds",
        "startValue": 0,
        "endValue": round(end, MICROSECOND_DIGITS),
        "events": events,
    }


def _title(trace: Trace) -> str:
    return printable(trace.name) + (" (its beginning)" if trace.is_truncated else "")


def _events(trace: Trace, indexes: dict[StackFrame, int], begin: float) -> Iterator[dict[str, Any]]:
    for step in trace.steps:
        yield _event(step, indexes[trace.frames[step.frame]], begin)


def _event(step: TraceEvent, frame: int, begin: float) -> dict[str, Any]:
    return {"type": "O" if step.opens else "C", "frame": frame, "at": round(begin + step.at, MICROSECOND_DIGITS)}


def _frame(frame: StackFrame) -> dict[str, Any]:
    place = {"file": frame.file, "line": frame.line} if frame.file else {}
    return {"name": printable(frame.name), **place}
