"""The attempts that wait to be submitted."""

from pixmill.engine.scheduling.backlog import Backlog
from pixmill.engine.task import Attempt, Task

A, B, C = (Attempt(Task.of(name)) for name in "abc")


def test_it_is_a_queue_whose_front_takes_what_comes_back():
    backlog = Backlog()
    backlog.append([A, B])
    backlog.requeue_first([C])
    assert backlog.take(2) == [C, A]
    assert backlog.take(5) == [B]


def test_what_is_delayed_becomes_ready_when_it_is_due():
    backlog = Backlog()
    backlog.delay(B, 2.0)
    backlog.delay(A, 1.0)
    backlog.delay(C, 2.0)
    assert backlog.next_due() == 1.0
    backlog.promote_due(0.9)
    assert backlog.take(5) == []
    backlog.promote_due(2.0)
    assert backlog.take(5) == [A, B, C]
    assert backlog.next_due() is None


def test_all_attempts_are_counted_and_can_be_taken_at_once():
    backlog = Backlog()
    backlog.append([A])
    backlog.delay(B, 1.0)
    backlog.exclusive.append(C)
    assert (len(backlog), backlog.ready) == (3, 1)
    assert set(backlog.clear()) == {A, B, C}
    assert len(backlog) == 0
