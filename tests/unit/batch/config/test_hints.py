"""Tests of the hints about failures, once for each error code."""

from pixmill.batch.config.hints import Hints
from pixmill.core.errors import ReadError
from pixmill.engine.failures import failure_of
from pixmill.engine.task import Failure
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import occupied, too_large


def test_hints_that_differ_in_a_value_become_one_with_the_largest():
    hints = Hints()
    for size in (900_000, 2_100_000_000, 70_000_000):
        hints.add(failure_of(too_large(b"x", size, 1000), "read"))
    assert list(hints.of("limit-bytes", "out")) == ["pixmill retry out --max-source-bytes 2100MB"]


def test_a_hint_names_the_output_as_a_shell_takes_it():
    hints = Hints()
    hints.add(failure_of(occupied(b"x.jpg", FileVersion(3)), "write"))
    (hint,) = hints.of("exists", "'my out' --state st")
    assert "move it away, then: pixmill retry 'my out' --state st; or, to replace it: " in hint
    assert hint.endswith("pixmill retry 'my out' --state st --existing replace")


def test_different_advice_for_one_code_is_kept_apart_and_a_failure_without_adds_none():
    hints = Hints()
    hints.add(Failure(code="read-url", stage="read", message="bad"))
    for part in ("the user", "the password", "the user"):
        hints.add(failure_of(ReadError("bad", code="read-url", hint=f"remove {part}"), "read"))
    assert list(hints.of("read-url", "out")) == ["remove the user", "remove the password"]
    assert list(hints.of("timeout", "out")) == []
