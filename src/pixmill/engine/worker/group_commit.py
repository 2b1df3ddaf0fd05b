"""Make results durable while the next task computes: what a disk or a network takes, a core need not wait for.

One thread settles results in groups, all of a group one step after the other: what each would wait for, the commit of a file
system's journal say, they wait for together. Which task a worker is at stays readable off its beacon, even when it dies: the
one that computes, since only that runs codecs; the one that takes a step, while nothing computes.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from pixmill.core.phases import Phases
from pixmill.engine.handler import PendingResult
from pixmill.engine.ipc.messages import TaskResult
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.worker.invoke import advance
from pixmill.engine.worker.stages import PublishedStages, StageClock

Number = TypeVar("Number", int, float)


_MAX_GROUP = 16  # results of a group: with 32 of a few kilobytes a disk is hardly any faster
_MAX_GROUP_BYTES = 4_000_000  # bytes of a group; what holds more by itself is settled before anything else begins
_MAX_WAIT = 0.02  # seconds that a result waits for others: images that take longer than this hardly ever do
_MAX_LAG = 0.25  # seconds that a result may wait for its turn before nothing more is computed: a slow store keeps few waiting


class PendingCommit:
    """A task from the end of its computing to its answer. Between its steps, others take theirs.

    ``answer`` is what there is of it so far; whole, once ``advance`` has said that there is no step left. ``began`` is
    monotonic, and moves on while others take steps: what passes since then is time of the task's own.
    """

    def __init__(self, answer: TaskResult, steps: Phases, *, size: int) -> None:
        """Go on where ``answer`` ends. ``size``: the bytes that are held until the last of ``steps``."""
        self.answer = answer
        self.size = size
        self.resume()
        self._steps = steps
        self._stage = ""

    def resume(self) -> None:
        """Let the task's own time go on."""
        self.began = time.monotonic() - self.answer.seconds

    def advance(self, stages: StageClock) -> bool:
        """Take the next step, in the stage in which the last one ended; return whether there are more."""
        if self._stage:
            stages.enter(self._stage)
        goes_on, failure = advance(self._steps, stages)
        self._stage = stages.stage
        timings, measures = stages.finish()
        self.answer = msgspec.structs.replace(
            self.answer,
            result=b"" if failure else self.answer.result,
            failure=failure,
            seconds=time.monotonic() - self.began,
            timings=_sums(self.answer.timings, timings),
            measures=_sums(self.answer.measures, measures),
        )
        return goes_on


def _sums(one: dict[str, Number], other: dict[str, Number]) -> dict[str, Number]:
    return one | {name: one.get(name, 0) + amount for name, amount in other.items()}


class GroupCommitter:
    """Settles tails beside the worker's thread, and has each answered once it is. All methods are for the worker's thread."""

    def __init__(self, status_slot: StatusSlot, answer: Callable[[Sequence[TaskResult]], None]) -> None:
        """Show on ``status_slot`` what is waited for, and hand the answers of each group to ``answer``, in a thread of its own."""
        self._status_slot = status_slot
        self._answer = answer
        self._stages = PublishedStages(status_slot)
        self._stages.is_published = False
        self._waiting: list[PendingCommit] = []
        self._size = 0
        self._since = 0.0
        self._group: list[PendingCommit] = []
        self._current: PendingCommit | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, answer: TaskResult, unsettled: PendingResult) -> None:
        """Have ``unsettled`` settled, and then ``answer`` said; waits while a whole group is before it."""
        if self._thread is None:  # not sooner: by now the worker is confined, and a thread that it starts is too
            self._thread = threading.Thread(target=self._run, name="settler", daemon=True)
            self._thread.start()
        tail = PendingCommit(answer, unsettled.commit(self._stages), size=unsettled.size)
        with self._changed:
            if self._is_full():
                self._wait_until(lambda: not self._is_full())
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append(tail)
            self._size += tail.size
            if len(self._waiting) == 1 or self._is_full():
                self._changed.notify_all()
            if tail.size > _MAX_GROUP_BYTES:
                self._wait_until(self._is_idle)

    def flush(self) -> None:
        """Wait until everything is settled and answered."""
        with self._changed:
            if not self._is_idle():
                self._wait_until(self._is_idle)

    def _is_full(self) -> bool:
        if not self._waiting:
            return False
        return len(self._waiting) >= _MAX_GROUP or self._size >= _MAX_GROUP_BYTES or time.monotonic() - self._since > _MAX_LAG

    def _is_idle(self) -> bool:
        return not self._waiting and not self._group

    def _wait_until(self, is_over: Callable[[], bool]) -> None:
        """Show the coordinator for which task we wait: a disk that hangs is blamed on that one."""
        self._stages.is_published = True
        self._show(self._current or self._waiting[0])
        self._changed.notify_all()
        self._changed.wait_for(is_over)
        self._stages.is_published = False

    def _show(self, tail: PendingCommit) -> None:
        self._status_slot.set_current(tail.answer.number, tail.began)
        self._stages.show()

    def _run(self) -> None:
        try:
            while True:
                self._commit(self._next_group())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the coordinator is gone
        except BaseException:  # noqa: BLE001  # the last frame of the thread: the traceback goes to the beacon's log
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    def _next_group(self) -> Sequence[PendingCommit]:
        """Wait until there is a group: one that is full, or has waited long enough, or that the worker waits for."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            left = self._since + _MAX_WAIT - time.monotonic()
            self._changed.wait_for(lambda: self._is_full() or self._stages.is_published, timeout=left)
            self._group, self._waiting, self._size = self._waiting, [], 0
            self._current = self._group[0]
            self._changed.notify_all()
            return self._group

    def _commit(self, group: Sequence[PendingCommit]) -> None:
        """Take every tail of ``group`` a step further, again and again; the last step of a result leaves it durable.

        Answers go together, but none waits long for others.
        """
        left, answers, said = list(group), list[TaskResult](), time.monotonic()
        while left:
            turn, left = left, []
            for tail in turn:
                if self._advance(tail):
                    left.append(tail)
                else:
                    answers.append(tail.answer)
                if answers and (tail is turn[-1] or time.monotonic() - said > _MAX_WAIT):
                    self._answer(answers)
                    answers, said = [], time.monotonic()
        with self._changed:
            self._group = []
            self._current = None
            self._changed.notify_all()

    def _advance(self, tail: PendingCommit) -> bool:
        with self._changed:
            tail.resume()
            self._current = tail
            if self._stages.is_published:
                self._show(tail)
        return tail.advance(self._stages)
