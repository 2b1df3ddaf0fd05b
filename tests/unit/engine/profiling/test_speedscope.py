from pixmill.engine.profiling.speedscope import MAX_TASKS, as_speedscope
from pixmill.engine.profiling.tracer import StackFrame, Trace, TraceEvent

READ, DECODE = StackFrame("read"), StackFrame("decode", "codec.py", 7)


def trace(name, *, began=0.0, seconds=2.0, frames=(READ, DECODE), steps=None):
    steps = steps or (
        TraceEvent(opens=True, frame=0, at=0.5), TraceEvent(opens=True, frame=1, at=1.0),
        TraceEvent(opens=False, frame=1, at=1.5), TraceEvent(opens=False, frame=0, at=2.0),
    )  # fmt: skip
    return Trace(name=name, began=began, seconds=seconds, frames=frames, steps=steps, is_truncated=name == b"cut")


def made(*traces):
    return as_speedscope(traces, name="p.json", exporter="pixmill")


def test_the_first_profile_is_all_tasks_end_to_end_in_the_order_of_time():
    whole, first, second = made(trace(b"later", began=9.0), trace(b"sooner", began=1.0))["profiles"]
    assert whole["name"] == "a sample of 2 tasks"
    assert [event["at"] for event in whole["events"]] == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    assert (whole["startValue"], whole["endValue"], whole["unit"]) == (0, 4.0, "seconds")
    assert (first["name"], second["name"]) == ("sooner", "later")
    assert [event["at"] for event in second["events"]] == [0.5, 1.0, 1.5, 2.0]


def test_a_function_that_many_traces_know_is_one_frame():
    file = made(trace(b"a"), trace(b"b", frames=(DECODE, READ)))
    assert file["shared"]["frames"] == [{"name": "read"}, {"name": "decode", "file": "codec.py", "line": 7}]
    assert [[event["frame"] for event in profile["events"]] for profile in file["profiles"]] == [
        [0, 1, 1, 0, 1, 0, 0, 1],
        [0, 1, 1, 0],
        [1, 0, 0, 1],
    ]


def test_hostile_names_are_inert_and_a_cut_trace_is_told():
    names = [profile["name"] for profile in made(trace(b"cut"), trace(b"red\x1b[31m\xff", began=1.0))["profiles"]]
    assert names[1:] == ["cut (its beginning)", "red\\x1b[31m\\xff"]


def test_what_there_is_no_room_for_is_left_out_evenly():
    steps = tuple(TraceEvent(opens=not number % 2, frame=0, at=0.0) for number in range(MAX_TASKS // 4))
    profiles = made(*(trace(b"%d" % number, began=number, steps=steps) for number in range(7)))["profiles"]
    assert [profile["name"] for profile in profiles[1:]] == ["0", "2", "4", "6"]


def test_nothing_traced_is_an_empty_profile():
    assert made()["profiles"][0]["events"] == []
