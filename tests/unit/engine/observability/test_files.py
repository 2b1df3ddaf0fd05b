import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pixmill.core.name_text import name_bytes
from pixmill.engine.events import AttemptStarted, RunEnded, TaskFinished
from pixmill.engine.observability.json_lines import json_line
from pixmill.engine.task import Attempt, Counts, Done, Failed, Failure, State, Task

NASTY = b'a\xff\n\x1b[31m\xe2\x80\xae\x7f"\\.jpg'


def test_an_event_is_one_flat_record():
    failure = Failure(code="crash", stage="decode", message="died", signal=11)
    outcome = Failed(task=Task(b"i" * 16, b"a/b.jpg", b"\xff" * 100), failure=failure, attempts=3, seconds=0.5)
    assert json.loads(json_line(TaskFinished(at=12.5, outcome=outcome))) == {
        "event": "task_finished",
        "at": 12.5,
        "outcome": "failed",
        "key": "a/b.jpg",
        "failure": {"code": "crash", "stage": "decode", "message": "died", "signal": 11},
        "attempts": 3,
        "seconds": 0.5,
        "remembered": False,
    }
    attempt = json.loads(json_line(AttemptStarted(at=1, attempt=Attempt(Task(b"i" * 16, b"a"), 2))))
    assert attempt == {"event": "attempt_started", "at": 1, "key": "a", "attempt": 2}
    ended = json.loads(json_line(RunEnded(at=1, counts=Counts(done=2), reason="finished", seconds=3)))
    assert ended["counts"] == {"done": 2, "skipped": 0, "failed": 0, "pending": 0}


def test_a_result_is_shown_as_its_owner_explains_it_or_not_at_all():
    event = TaskFinished(at=1, outcome=Done(task=Task(b"", b"a"), result=b"\x01\x02"))
    assert "result" not in json.loads(json_line(event))
    assert json.loads(json_line(event, lambda result: {"outputs": [result, len(result)]}))["result"] == {"outputs": ["\x01\x02", 2]}


def test_names_are_inert_and_lead_back_to_the_same_bytes():
    text = json_line(TaskFinished(at=1, outcome=Done(task=Task(b"", NASTY))))
    assert text.isascii()
    assert text.isprintable()
    assert name_bytes(json.loads(text)["key"]) == NASTY


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.binary() | st.text() | st.integers() | st.sampled_from(State),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_any_data_is_one_line_of_printable_ascii(data):
    text = json_line(data)
    assert text.isascii()
    assert text.isprintable()
    json.loads(text)
