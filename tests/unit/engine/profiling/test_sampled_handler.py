from itertools import pairwise

import msgspec
import pytest

from pixmill.engine.handler import HandlerRef
from pixmill.engine.profiling.sampled_handler import MAX_TRACES, STAGE, with_sampling
from pixmill.engine.profiling.tracer import Trace
from pixmill.engine.resources.sandbox import Sandbox
from pixmill.engine.worker.stages import StageClock


def shout(payload):
    if payload == b"bad":
        raise ValueError(payload)
    return payload.upper()


def name_of(payload):
    return b"task " + payload


NAME_OF = f"{__file__}:name_of"


@pytest.fixture
def handler(tmp_path):
    return with_sampling(HandlerRef(f"{__file__}:shout", plain=True), tmp_path, NAME_OF).load()


def traces(folder):
    found = [msgspec.msgpack.decode(path.read_bytes(), type=Trace) for path in folder.glob("*.trace")]
    return sorted(found, key=lambda trace: trace.began)


def test_few_tasks_are_all_traced_and_their_results_are_the_same(handler, tmp_path):
    assert [handler(payload, StageClock()) for payload in (b"a", b"b")] == [b"A", b"B"]
    assert [trace.name for trace in traces(tmp_path)] == [b"task a", b"task b"]


def test_of_many_tasks_an_even_selection_is_kept(handler, tmp_path):
    for number in range(1000):
        handler(b"%03d" % number, StageClock())
    numbers = [int(trace.name.split()[1]) for trace in traces(tmp_path)]
    strides = {second - first for first, second in pairwise(numbers)}
    assert MAX_TRACES // 2 < len(numbers) <= MAX_TRACES
    assert len(strides) == 1
    assert numbers[0] == 0
    assert numbers[-1] >= 900


def test_a_task_that_fails_is_traced_and_fails(handler, tmp_path):
    with pytest.raises(ValueError, match="bad"):
        handler(b"bad", StageClock())
    assert [trace.name for trace in traces(tmp_path)] == [b"task bad"]


def test_writing_a_trace_is_charged_to_no_stage_of_the_task(handler):
    stages = StageClock()
    handler(b"a", stages)
    assert list(stages.finish()[0]) == [STAGE]


def test_a_folder_that_is_gone_costs_no_task(handler, tmp_path):
    tmp_path.rmdir()
    assert handler(b"a", StageClock()) == b"A"


def test_a_confined_worker_may_write_its_traces(tmp_path):
    ref = with_sampling(HandlerRef("m:f", confinement=Sandbox((b"/out",))), tmp_path, NAME_OF)
    assert ref.confinement == Sandbox((b"/out", bytes(tmp_path)))
