"""Make results durable while the next task computes: waiting for a disk or a network does not occupy a core.

One thread commits results in groups and alternates between the results of a group, one step at a time, so that they share each
wait, such as the commit of a file system's journal. The current task of a worker stays readable in its status slot even after a
crash: while a task computes, it is that one, since only computing runs codecs; otherwise it is the one whose step is running.
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


_MAX_GROUP = 16  # results in a group: with 32 of a few kilobytes a disk is hardly any faster
_MAX_GROUP_BYTES = 4_000_000  # a single result above this is committed before the next task begins
_MAX_WAIT = 0.02  # seconds that a result waits for others; images that take longer than this hardly ever wait
_MAX_LAG = 0.25  # seconds that a result may wait for its group before the worker stops computing: bounds the queue of a slow store


class PendingCommit:
    """A task between the end of its computation and its result message. Its steps alternate with those of other tasks.

    ``task_result`` is incomplete until ``advance`` has returned ``False``. ``began`` is monotonic, and moves forward while other
    tasks run their steps, so that the time since then belongs to this task alone.
    """

    def __init__(self, task_result: TaskResult, steps: Phases[bytes], *, size: int) -> None:
        """Continue from the computed ``task_result``. ``size``: the bytes held in memory until the last of ``steps``."""
        self.task_result = task_result
        self.size = size
        self.resume()
        self._steps = steps
        self._stage = ""

    def resume(self) -> None:
        """Continue to count the task's own time."""
        self.began = time.monotonic() - self.task_result.seconds

    def advance(self, stages: StageClock) -> bool:
        """Run the next step, in the stage in which the previous one ended; return whether there are more."""
        if self._stage:
            stages.enter(self._stage)
        result, failure = advance(self._steps, stages)
        self._stage = stages.stage
        timings, measures = stages.finish()
        self.task_result = msgspec.structs.replace(
            self.task_result,
            result=result or b"",
            failure=failure,
            seconds=time.monotonic() - self.began,
            timings=_sums(self.task_result.timings, timings),
            measures=_sums(self.task_result.measures, measures),
        )
        return result is None


def _sums(first: dict[str, Number], second: dict[str, Number]) -> dict[str, Number]:
    return first | {name: first.get(name, 0) + amount for name, amount in second.items()}


class GroupCommitter:
    """Commits pending results in its own thread, and sends the result of each. Call its methods from the worker's main thread."""

    def __init__(self, status_slot: StatusSlot, send: Callable[[Sequence[TaskResult]], None]) -> None:
        """Show in ``status_slot`` which task is waited for, and pass each group's results to ``send``, called in that thread."""
        self._status_slot = status_slot
        self._send = send
        self._stages = PublishedStages(status_slot)
        self._stages.is_published = False
        self._waiting: list[PendingCommit] = []
        self._size = 0
        self._since = 0.0
        self._group: list[PendingCommit] = []
        self._current: PendingCommit | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, task_result: TaskResult, pending_result: PendingResult) -> None:
        """Commit ``pending_result``, then send ``task_result``. Blocks while the waiting group is full."""
        if self._thread is None:  # not sooner: a thread started now inherits the worker's sandbox
            self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
            self._thread.start()
        pending = PendingCommit(task_result, pending_result.commit(self._stages), size=pending_result.size)
        with self._changed:
            if self._is_full():
                self._wait_until(lambda: not self._is_full())
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append(pending)
            self._size += pending.size
            if len(self._waiting) == 1 or self._is_full():
                self._changed.notify_all()
            if pending.size > _MAX_GROUP_BYTES:
                self._wait_until(self._is_idle)

    def flush(self) -> None:
        """Wait until all results are committed and sent."""
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
        """Wait, and show the coordinator for which task: if a disk hangs, that task is blamed."""
        self._stages.is_published = True
        self._show(self._current or self._waiting[0])
        self._changed.notify_all()
        self._changed.wait_for(is_over)
        self._stages.is_published = False

    def _show(self, pending: PendingCommit) -> None:
        self._status_slot.set_current(pending.task_result.number, pending.began)
        self._stages.publish()

    def _run(self) -> None:
        try:
            while True:
                self._commit(self._next_group())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the coordinator is gone
        except BaseException:  # noqa: BLE001  # the outermost frame of the thread: the traceback goes to the output buffer
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    def _next_group(self) -> Sequence[PendingCommit]:
        """Wait for a group that is full, has waited long enough, or is waited for by the main thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            timeout = self._since + _MAX_WAIT - time.monotonic()
            self._changed.wait_for(lambda: self._is_full() or self._stages.is_published, timeout=timeout)
            self._group, self._waiting, self._size = self._waiting, [], 0
            self._current = self._group[0]
            self._changed.notify_all()
            return self._group

    def _commit(self, group: Sequence[PendingCommit]) -> None:
        """Advance every task of ``group`` by one step, repeatedly; a result is durable after its last step.

        Results are sent together, but none waits long for others.
        """
        remaining, completed, last_sent = list(group), list[TaskResult](), time.monotonic()
        while remaining:
            current_round, remaining = remaining, []
            for pending in current_round:
                if self._advance(pending):
                    remaining.append(pending)
                else:
                    completed.append(pending.task_result)
                if completed and (pending is current_round[-1] or time.monotonic() - last_sent > _MAX_WAIT):
                    self._send(completed)
                    completed, last_sent = [], time.monotonic()
        with self._changed:
            self._group = []
            self._current = None
            self._changed.notify_all()

    def _advance(self, pending: PendingCommit) -> bool:
        with self._changed:
            pending.resume()
            self._current = pending
            if self._stages.is_published:
                self._show(pending)
        return pending.advance(self._stages)
