"""Convert traces to a file for https://www.speedscope.app: one profile of all traces end to end, then one per trace.

The view *left heavy* of the first profile shows where the time was spent; the others show one task each, in chronological order.
Format: https://www.speedscope.app/file-format-schema.json
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from pixmill.core.humanize import plural
from pixmill.core.text import printable
from pixmill.engine.profiling.tracer import StackFrame, Trace, TraceEvent

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
MAX_FILE_EVENTS = 150_000  # in all traces of one file, about 12 MB
SECOND_DIGITS = 7  # decimal places of a second: the resolution of the clock


def as_speedscope(traces: Sequence[Trace], *, name: str, exporter: str) -> dict[str, Any]:
    """Return the content of the file. If the traces exceed ``MAX_FILE_EVENTS``, it contains an even selection of them."""
    selected = _selection(sorted(traces, key=lambda trace: (trace.began, trace.name)))
    frames = list(dict.fromkeys(frame for trace in selected for frame in trace.frames))
    indexes = {frame: index for index, frame in enumerate(frames)}
    begins = [0.0, *accumulate(trace.seconds for trace in selected)]
    all_events = [event for trace, begin in zip(selected, begins, strict=False) for event in _events(trace, indexes, begin)]
    combined = _profile(f"a sample of {plural(len(selected), 'task')}", all_events, begins[-1])
    return {
        "$schema": SCHEMA,
        "exporter": exporter,  # first, so that our files can be recognised by how they begin
        "shared": {"frames": [_frame(frame) for frame in frames]},
        "profiles": [combined, *(_profile(_title(trace), list(_events(trace, indexes, 0.0)), trace.seconds) for trace in selected)],
        "name": printable(name),
        "activeProfileIndex": 0,
    }


def _selection(traces: Sequence[Trace]) -> Sequence[Trace]:
    while len(traces) > 1 and sum(len(trace.events) for trace in traces) > MAX_FILE_EVENTS:
        traces = traces[::2]
    return traces


def _profile(name: str, events: list[dict[str, Any]], end: float) -> dict[str, Any]:
    return {
        "type": "evented",
        "name": name,
        "unit": "seconds",
        "startValue": 0,
        "endValue": round(end, SECOND_DIGITS),
        "events": events,
    }


def _title(trace: Trace) -> str:
    return printable(trace.name) + (" (truncated)" if trace.is_truncated else "")


def _events(trace: Trace, indexes: dict[StackFrame, int], begin: float) -> Iterator[dict[str, Any]]:
    for event in trace.events:
        yield _event(event, indexes[trace.frames[event.frame]], begin)


def _event(event: TraceEvent, frame: int, begin: float) -> dict[str, Any]:
    return {"type": "O" if event.opens else "C", "frame": frame, "at": round(begin + event.at, SECOND_DIGITS)}


def _frame(frame: StackFrame) -> dict[str, Any]:
    location = {"file": frame.file, "line": frame.line} if frame.file else {}
    return {"name": printable(frame.name), **location}
