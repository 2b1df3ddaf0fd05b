"""Tests of whether the record of a failed image still holds."""

import pytest

from pixmill.batch.item import Item, to_task
from pixmill.batch.outputs.still_valid import still_valid
from pixmill.core.errors import MissingExtra
from pixmill.engine.failures import failure_of
from pixmill.engine.ledger import Record
from pixmill.engine.task import Failure, State
from pixmill.storage.entry import Entry

TASK = to_task(Item(Entry(b"a.jpg", 1, b"1"), (b"a.jpg",)), b"x" * 16)


def holds(failure: Failure, *, is_taken: bool = True) -> bool:
    record = Record(key=TASK.key, id=TASK.id, state=State.FAILED, failure=failure)
    return still_valid(lambda *_: True, lambda _: is_taken)(TASK, record)


@pytest.mark.parametrize(
    ("code", "is_kept"), [("changed", False), ("read-changed", False), ("decode", True), ("read-denied", True)]
)
def test_what_changed_while_it_was_read_is_read_again(code, is_kept):
    assert holds(Failure(code=code, stage="read", message="")) is is_kept


def test_an_occupied_name_holds_until_it_is_free():
    failure = Failure(code="exists", stage="write", message="")
    assert holds(failure)
    assert not holds(failure, is_taken=False)


def test_a_missing_extra_holds_until_what_it_needs_is_installed():
    assert holds(failure_of(MissingExtra("unheard-of", "reading this"), "header"))
    assert not holds(failure_of(MissingExtra("s3", "reading that"), "read"))
