import importlib
import sys
from collections import Counter
from contextlib import suppress

import pytest

from pixmill.engine.profiling.tracer import TracedStages, Tracer
from pixmill.engine.worker.stages import StageClock


def inner(text):
    return text.upper()


def outer(stages):
    stages.enter("read")
    inner("a")
    stages.enter("write")
    return sorted([inner("b"), "c"])


def traced(work, **options):
    tracer = Tracer(**options)
    with tracer:
        work(TracedStages(StageClock(), tracer))
    return tracer.trace(b"a.jpg")


def shape(trace):
    """The trace as text: what opens, deeper from line to line."""
    depth, lines = 0, []
    for event in trace.events:
        if event.opens:
            lines.append(f"{'.' * depth}{trace.frames[event.frame].name}")
        depth += 1 if event.opens else -1
    return lines


def assert_balanced(trace):
    stack = []
    for event in trace.events:
        if event.opens:
            stack.append(event.frame)
        else:
            assert stack.pop() == event.frame
    assert stack == []
    times = [event.at for event in trace.events]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= trace.seconds


def test_calls_are_below_the_stage_that_made_them():
    trace = traced(outer)
    assert_balanced(trace)
    calls = shape(trace)
    assert calls[calls.index("read") :] == [
        "read", ".outer", "..inner", "...str.upper",
        "write", ".outer", "..inner", "...str.upper", "..sorted",
    ]  # fmt: skip


def test_it_says_where_a_function_is_and_not_where_packages_are_installed():
    frames = {frame.name: frame for frame in traced(outer).frames}
    assert frames["inner"].file.endswith("test_tracer.py")
    assert frames["inner"].line == inner.__code__.co_firstlineno
    assert (frames["sorted"].file, frames["sorted"].line) == ("", 0)


def test_it_ends_where_the_block_ends_even_with_an_error():
    def fail(stages):
        stages.enter("read")
        inner(None)

    tracer = Tracer()
    with pytest.raises(AttributeError), tracer:
        fail(TracedStages(StageClock(), tracer))
    assert sys.getprofile() is None
    assert_balanced(tracer.trace(b""))


def test_an_import_is_shown_without_its_inner_calls():
    sys.modules.pop("this_is_nowhere", None)

    def fetch(_):
        with suppress(ImportError):
            importlib.import_module("this_is_nowhere")
        return inner("a")

    trace = traced(fetch)
    assert_balanced(trace)
    calls = [line.strip(".") for line in shape(trace)]
    assert calls.count("import_module") == 1
    assert "_find_and_load" not in calls
    assert calls[-2:] == ["inner", "str.upper"]


def test_generators_come_and_go():
    trace = traced(lambda _: sum(number for number in range(5)))
    assert_balanced(trace)
    assert Counter(shape(trace))["..test_generators_come_and_go.<locals>.<lambda>.<locals>.<genexpr>"] == 6


def test_a_trace_that_grows_too_long_is_truncated_and_stays_balanced():
    trace = traced(lambda _: [inner("a") for _ in range(1000)], max_events=100)
    assert trace.is_truncated
    assert len(trace.events) <= 104
    assert_balanced(trace)
    assert sys.getprofile() is None


def test_the_reports_of_a_handler_are_forwarded():
    clock = StageClock()
    stages = TracedStages(clock, Tracer())
    stages.enter("read")
    stages.count("bytes", 5)
    stages.reserve_memory(1)
    timings, measures = clock.finish()
    assert (list(timings), measures) == (["read"], {"bytes": 5})
