"""Make results durable while the next task computes: what a disk or a network takes, a core need not wait for.

One thread, one result after the other, in the order of the tasks. Which task a worker is at stays readable off its beacon, even
when it dies: the one that computes, since only that runs codecs; the one that is being settled, while nothing computes.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

import msgspec

from pixmill.engine.beacon import Beacon
from pixmill.engine.calling import settle
from pixmill.engine.handler import Unsettled
from pixmill.engine.signing import BeaconStages
from pixmill.engine.wire import Answer

_DEPTH = 4  # unsettled results: fsyncs that take longer than others need not hold anything up
_LARGEST = 4_000_000  # bytes; what holds more is settled before anything else begins

Number = TypeVar("Number", int, float)


class Tail(msgspec.Struct, frozen=True):
    """What is left of a task that has been computed: its ``answer`` so far, and what settles it. ``began`` is monotonic."""

    answer: Answer
    unsettled: Unsettled
    began: float


class Settler:
    """Settles tails beside the worker's thread, and has each answered once it is. All methods are for the worker's thread."""

    def __init__(self, beacon: Beacon, answer: Callable[[Answer], None]) -> None:
        """Show on ``beacon`` what is waited for, and hand each whole answer to ``answer``, in a thread of its own."""
        self._beacon = beacon
        self._answer = answer
        self._stages = BeaconStages(beacon)
        self._stages.is_shown = False
        self._tails: deque[Tail] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def take(self, tail: Tail) -> None:
        """Have ``tail`` settled; waits while there are many before it."""
        if self._thread is None:  # not sooner: by now the worker is confined, and a thread that it starts is too
            self._thread = threading.Thread(target=self._run, name="settler", daemon=True)
            self._thread.start()
        with self._changed:
            self._wait_until(left=_DEPTH - 1)
            self._tails.append(tail)
            self._changed.notify_all()
            if tail.unsettled.size > _LARGEST:
                self._wait_until(left=0)

    def finish(self) -> None:
        """Wait until everything is settled and answered."""
        if self._tails:
            with self._changed:
                self._wait_until(left=0)

    def _wait_until(self, *, left: int) -> None:
        """Show the coordinator for which task we wait: a disk that hangs is blamed on that one."""
        if len(self._tails) <= left:
            return
        self._stages.is_shown = True
        self._show(self._tails[0])
        self._changed.wait_for(lambda: len(self._tails) <= left)
        self._stages.is_shown = False

    def _show(self, tail: Tail) -> None:
        self._beacon.show(tail.answer.number, tail.began)
        self._stages.show()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._tails)
                    if self._stages.is_shown:
                        self._show(self._tails[0])
                self._answer(self._settled(self._tails[0]))
                with self._changed:
                    self._tails.popleft()
                    self._changed.notify_all()
        finally:
            os._exit(1)  # the coordinator is gone

    def _settled(self, tail: Tail) -> Answer:
        answer = tail.answer
        failure = settle(tail.unsettled, self._stages)
        timings, measures = self._stages.finish()
        return msgspec.structs.replace(
            answer,
            result=b"" if failure else answer.result,
            failure=failure,
            seconds=time.monotonic() - tail.began,
            timings=_sums(answer.timings, timings),
            measures=_sums(answer.measures, measures),
        )


def _sums(one: dict[str, Number], other: dict[str, Number]) -> dict[str, Number]:
    return one | {name: one.get(name, 0) + amount for name, amount in other.items()}
