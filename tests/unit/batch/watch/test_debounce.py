"""The gate: a file goes through when it is whole, and not before."""

import pytest

from pixmill.batch.watch.debounce import MAX_OPEN_WAIT, Debouncer
from pixmill.storage.schemes.file import FileStorage

SETTLE = 2.0


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def written():
    return set()


@pytest.fixture
def gate(tmp_path, clock, written):
    return Debouncer(FileStorage(bytes(tmp_path)).stat, written.__contains__, settle=SETTLE, clock=clock)


def passed(gate):
    return [path for path, entry in gate.ready() if entry]


def test_a_file_waits_until_it_has_stayed_the_same_for_the_whole_time(gate, clock, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"half")
    gate.note(b"a.jpg")
    clock.time += 1.9
    assert passed(gate) == []
    clock.time += 0.1
    assert passed(gate) == [b"a.jpg"]
    assert len(gate) == 0


def test_a_file_that_grew_unnoticed_starts_its_wait_anew(gate, clock, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"half")
    gate.note(b"a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"half and more")
    clock.time += SETTLE
    assert passed(gate) == []
    clock.time += SETTLE
    assert passed(gate) == [b"a.jpg"]


def test_a_change_that_is_noted_starts_the_wait_anew(gate, clock, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"x")
        gate.note(name.encode())
    clock.time += 1
    gate.note(b"a.jpg")
    clock.time += 1
    assert passed(gate) == [b"b.jpg"]
    clock.time += 1
    assert passed(gate) == [b"a.jpg"]


def test_a_file_that_somebody_has_open_waits_until_it_is_closed(gate, clock, written, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"half")
    written.add(b"a.jpg")
    gate.note(b"a.jpg")
    for _ in range(5):
        clock.time += SETTLE
        assert passed(gate) == []
    written.clear()
    clock.time += SETTLE
    assert passed(gate) == [b"a.jpg"]


def test_a_file_that_seems_open_for_ever_goes_through_in_the_end(gate, clock, written, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"whole")
    written.add(b"a.jpg")
    gate.note(b"a.jpg")
    clock.time += MAX_OPEN_WAIT
    assert passed(gate) == [b"a.jpg"]


def test_a_file_that_is_gone_is_told_of_once_it_has_stayed_gone(gate, clock, tmp_path):
    gate.note(b"a.jpg")
    clock.time += SETTLE
    assert list(gate.ready()) == [(b"a.jpg", None)]
    gate.note(b"a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"it was replaced")
    clock.time += SETTLE
    assert list(gate.ready()) == []
    clock.time += SETTLE
    assert passed(gate) == [b"a.jpg"]
