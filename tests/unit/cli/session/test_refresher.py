import threading

from pixmill.batch.watch.events import CaughtUp
from pixmill.cli.session.report_refresher import ReportRefresher
from pixmill.core.errors import RunError


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_it_writes_when_a_watch_has_caught_up_and_then_not_for_a_minute():
    clock, written = Clock(), []
    refresher = ReportRefresher(lambda: written.append(clock.now), clock=clock)
    for second in range(130):
        clock.now = float(second)
        refresher.on_event(CaughtUp(at=0))
        refresher.close()
    assert written == [0.0, 60.0, 120.0]


def test_it_never_writes_twice_at_once_and_waits_for_the_last():
    clock, gate, written = Clock(), threading.Event(), []
    refresher = ReportRefresher(lambda: (gate.wait(60), written.append(clock.now)), interval=1, clock=clock)
    refresher.on_event(CaughtUp(at=0))
    clock.now = 5.0
    refresher.on_event(CaughtUp(at=0))
    gate.set()
    refresher.close()
    assert written == [5.0]


def test_what_goes_wrong_is_left_to_the_end():
    def fail():
        raise RunError("the disk is full")

    refresher = ReportRefresher(fail)
    refresher.on_event(CaughtUp(at=0))
    refresher.close()
