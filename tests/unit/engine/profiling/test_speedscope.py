from pixmill.engine.profiling.speedscope import MAX_FILE_EVENTS, as_speedscope
from pixmill.engine.profiling.tracer import StackFrame, Trace, TraceEvent

READ, DECODE = StackFrame("read"), StackFrame("decode", "codec.py", 7)


def trace(name, *, began=0.0, seconds=2.0, frames=(READ, DECODE), events=None):
    events = events or (
        TraceEvent(opens=True, frame=0, at=0.5), TraceEvent(opens=True, frame=1, at=1.0),
        TraceEvent(opens=False, frame=1, at=1.5), TraceEvent(opens=False, frame=0, at=2.0),
    )  # fmt: skip
    return Trace(name=name, began=began, seconds=seconds, frames=frames, events=events, is_truncated=name == b"cut")


def converted(*traces):
    return as_speedscope(traces, name="p.json", exporter="pixmill")


def test_the_first_profile_is_all_tasks_end_to_end_in_the_order_of_time():
    combined, first, second = converted(trace(b"later", began=9.0), trace(b"sooner", began=1.0))["profiles"]
    assert combined["name"] == "a sample of 2 tasks"
    assert [event["at"] for event in combined["events"]] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert (combined["startValue"], combined["endValue"], combined["unit"]) == (0, 4.0, "seconds")
    assert (first["name"], second["name"]) == ("sooner", "later")
    assert [event["at"] for event in second["events"]] == [0.5, 1.0, 1.5, 2.0]


def test_a_function_in_many_traces_is_one_frame():
    file = converted(trace(b"a"), trace(b"b", frames=(DECODE, READ)))
    assert file["shared"]["frames"] == [{"name": "read"}, {"name": "decode", "file": "codec.py", "line": 7}]
    assert [[event["frame"] for event in profile["events"]] for profile in file["profiles"]] == [
        [0, 1, 1, 0, 1, 0, 0, 1],
        [0, 1, 1, 0],
        [1, 0, 0, 1],
    ]


def test_hostile_names_are_escaped_and_a_truncated_trace_is_marked():
    names = [profile["name"] for profile in converted(trace(b"cut"), trace(b"red\x1b[31m\xff", began=1.0))["profiles"]]
    assert names[1:] == ["cut (truncated)", "red\\x1b[31m\\xff"]


def test_traces_that_do_not_fit_are_left_out_evenly():
    events = tuple(TraceEvent(opens=not number % 2, frame=0, at=0.0) for number in range(MAX_FILE_EVENTS // 4))
    profiles = converted(*(trace(b"%d" % number, began=number, events=events) for number in range(7)))["profiles"]
    assert [profile["name"] for profile in profiles[1:]] == ["0", "2", "4", "6"]


def test_nothing_traced_is_an_empty_profile():
    assert converted()["profiles"][0]["events"] == []
