"""The current stage of a worker, published in its status slot."""

import time
from typing import NamedTuple

from pixmill.core.errors import LimitError
from pixmill.core.remedy import rounded_up
from pixmill.core.units import ByteSize
from pixmill.engine.failures import LIMIT_MEMORY
from pixmill.engine.handler import Stages
from pixmill.engine.ipc.messages import TaskRequest
from pixmill.engine.ipc.status_slot import StatusSlot
from pixmill.engine.resources.memory import OVERHEAD


class ReadInput(NamedTuple):
    """The end of reading the input of ``request``: the ``result``, or the ``error`` that was raised, after ``seconds``."""

    request: TaskRequest
    result: object
    error: BaseException | None
    seconds: float

    def take(self) -> object:
        """Return the result, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.result


class StageClock(Stages):
    """Measures the seconds that the current task spends in each stage, and holds the counts of its handler.

    The stage before the first ``enter`` has no name. ``memory``: the bytes that the current task may use; 0 for no limit.
    """

    def __init__(self) -> None:
        """Start without a stage."""
        self.stage = ""
        self.memory = 0
        self._timings: dict[str, float] = {}
        self._measures: dict[str, int] = {}
        self._since = 0.0
        self._input: ReadInput | None = None

    def set_input(self, read_input: ReadInput) -> None:
        """Have ``take_input`` return this; the time to read it counts for the stage in which it is taken."""
        self._input = read_input

    def take_input(self) -> object:
        """Return the input that was read ahead, or raise the error."""
        taken, self._input = self._input, None
        if taken is None:
            return None
        self.add_seconds(taken.seconds)
        return taken.take()

    def enter(self, stage: str) -> None:
        """End the current stage and begin ``stage``."""
        self.pause()
        self.stage = stage

    def pause(self) -> None:
        """Add the time since the last call, or since ``resume``, to the current stage."""
        now = time.perf_counter()
        self.add_seconds(now - self._since)
        self._since = now

    def resume(self) -> None:
        """Continue in the current stage: the time since ``pause`` is in none."""
        self._since = time.perf_counter()

    def add_seconds(self, seconds: float) -> None:
        """Add ``seconds`` to the current stage."""
        if self.stage:
            self._timings[self.stage] = self._timings.get(self.stage, 0.0) + seconds

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to the current task's total for ``measure``."""
        self._measures[measure] = self._measures.get(measure, 0) + amount

    def reserve_memory(self, memory: int) -> None:
        """Raise ``LimitError`` if ``memory`` is more than the current task may use."""
        if self.memory and memory > self.memory:
            message = f"this needs about {memory / 1e6:,.0f} MB of memory, but may use only {self.memory / 1e6:,.0f} MB"
            total = ByteSize(rounded_up(memory + OVERHEAD))
            options: dict[str, bool | int | str] = {
                "memory": str(total),
                "workers": 1,
            }  # with one worker, the whole remainder is for this image
            raise LimitError(message, code=LIMIT_MEMORY, hint="if this machine has as much memory", options=options)

    def finish(self) -> tuple[dict[str, float], dict[str, int]]:
        """Return the seconds by stage and the counts, and reset both for the next task."""
        if self.stage:
            self.enter("")
        self._input = None
        timings, self._timings = self._timings, {}
        measures, self._measures = self._measures, {}
        return timings, measures


class PublishedStages(StageClock):
    """A stage clock that also shows the current stage to the coordinator while ``is_published`` is set."""

    def __init__(self, status_slot: StatusSlot, indexes: dict[str, int] | None = None) -> None:
        """Publish stages in ``status_slot``. ``indexes``: those of other stages that are published there."""
        super().__init__()
        self.is_published = True
        self.indexes = {"": 0} if indexes is None else indexes
        self._status_slot = status_slot

    def enter(self, stage: str) -> None:
        """End the current stage and begin ``stage``."""
        super().enter(stage)
        if self.is_published:
            self.publish()

    def publish(self) -> None:
        """Write the current stage to the status slot."""
        stage = self.stage
        index = self.indexes.get(stage)
        if index is None:
            index = self.indexes[stage] = self._status_slot.register_stage(stage)
        self._status_slot.set_stage(index)
