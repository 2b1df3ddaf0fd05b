"""The id of a task is derived from everything that determines its result."""

from pixmill.engine.task import Counts, Task


def test_the_same_content_has_the_same_id():
    assert Task.of("a", b"x") == Task.of(b"a", b"x")
    assert len(Task.of("a").id) == 16


def test_key_payload_and_version_determine_the_id_and_cannot_be_confused():
    tasks = [Task.of("a", b"bc"), Task.of("ab", b"c"), Task.of("a", b"b", version=b"c"), Task.of("a", b"", version=b"bc")]
    assert len({task.id for task in tasks}) == 4


def test_a_name_that_is_not_unicode_is_a_valid_key():
    assert Task.of("caf\udce9").key == b"caf\xe9"


def test_found_is_the_sum():
    assert Counts(done=1, skipped=2, failed=3, pending=4).found == 10
