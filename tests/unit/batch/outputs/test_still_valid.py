"""A failure is remembered until its cause is gone."""

import pytest

from pixmill.batch.item import ImageResult, Item, pack, to_task
from pixmill.batch.outputs.still_valid import still_valid
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.core.errors import MissingExtra
from pixmill.engine.failures import failure_of
from pixmill.engine.ledger import Record
from pixmill.engine.task import Failure, State
from pixmill.storage.entry import Entry
from pixmill.storage.schemes.memory import MemoryStorage
from pixmill.storage.storage import Replacing

TASK = to_task(Item(Entry(b"a.jpg", 1, b"1"), names=(b"a-1.jpg", b"a-2.jpg")), b"")


@pytest.fixture
def storage():
    made = MemoryStorage()
    made.write(b"a-2.jpg", b"theirs", durable=True)
    return made


def failed(**evidence):
    return Record(
        key=b"a.jpg", id=TASK.id, state=State.FAILED, failure=Failure(code="exists", stage="", message="", evidence=evidence)
    )


def holds(storage, record, *, existing="fail"):
    return still_valid(lambda *_: True, storage, existing=existing)(TASK, record)


def test_the_same_file_is_no_reason_to_try_again(storage):
    record = failed(output=1, existing="fail", **storage.version_of(b"a-2.jpg").evidence())
    assert holds(storage, record)
    assert not holds(storage, record, existing="replace")
    assert not holds(storage, record, existing="skip")
    assert not holds(storage, record, existing="adopt")


def test_a_file_that_could_not_be_adopted_is_not_decoded_again(storage):
    record = failed(output=1, existing="adopt", **storage.version_of(b"a-2.jpg").evidence())
    assert holds(storage, record, existing="adopt")
    assert holds(storage, record)


def test_another_file_or_none_is(storage):
    record = failed(output=1, existing="fail", **storage.version_of(b"a-2.jpg").evidence())
    storage.write(b"a-2.jpg", b"others", durable=True, replacing=Replacing(others=True))
    assert not holds(storage, record)
    storage.delete(b"a-2.jpg")
    assert not holds(storage, record)


def test_a_failure_of_an_earlier_version_holds_while_any_name_is_taken(storage):
    assert holds(storage, failed())
    storage.delete(b"a-2.jpg")
    assert not holds(storage, failed())


def test_a_changed_output_is_made_again_where_files_are_replaced():
    record = Record(key=b"a.jpg", id=TASK.id, state=State.DONE, result=pack(ImageResult(())))
    for existing, expected in (("fail", OUTPUT_CHANGED), ("skip", OUTPUT_CHANGED), ("replace", False), ("repair", False)):
        assert still_valid(lambda *_: OUTPUT_CHANGED, None, existing=existing)(TASK, record) == expected


def lasts(failure):
    record = Record(key=TASK.key, id=TASK.id, state=State.FAILED, failure=failure)
    return still_valid(lambda *_: True, None, existing="fail")(TASK, record)


@pytest.mark.parametrize(
    ("code", "is_kept"), [("changed", False), ("read-changed", False), ("decode", True), ("read-denied", True)]
)
def test_what_changed_while_it_was_read_is_read_again(code, is_kept):
    assert lasts(Failure(code=code, stage="read", message="")) is is_kept


def test_a_missing_extra_holds_until_what_it_needs_is_installed():
    assert lasts(failure_of(MissingExtra("unheard-of", "reading this"), "header"))
    assert not lasts(failure_of(MissingExtra("s3", "reading that"), "read"))
