"""The stage that a worker is in, written on its beacon as it goes."""

import time

from pixmill.core.errors import LimitError
from pixmill.engine.failures import LIMIT_MEMORY
from pixmill.engine.handler import Stages
from pixmill.engine.ipc.status_slot import StatusSlot


class StageClock(Stages):
    """Keeps the seconds that each stage of the task at hand took, and what the handler counted.

    The stage before the first ``enter`` has no name.
    """

    def __init__(self) -> None:
        """Start with no stage."""
        self.stage = ""
        self.memory = 0
        self._timings: dict[str, float] = {}
        self._measures: dict[str, int] = {}
        self._since = 0.0

    def enter(self, stage: str) -> None:
        """End the stage before and begin ``stage``."""
        now = time.perf_counter()
        if self.stage:
            self._timings[self.stage] = self._timings.get(self.stage, 0.0) + now - self._since
        self.stage = stage
        self._since = now

    def count(self, measure: str, amount: int) -> None:
        """Add ``amount`` to what the task at hand has counted under ``measure``."""
        self._measures[measure] = self._measures.get(measure, 0) + amount

    def reserve_memory(self, memory: int) -> None:
        """Raise ``LimitError`` when ``memory`` is more than the task at hand may use."""
        if self.memory and memory > self.memory:
            message = f"this needs about {memory / 1e6:,.0f} MB of memory, and may use {self.memory / 1e6:,.0f} MB"
            raise LimitError(message, code=LIMIT_MEMORY, hint="raise it with --memory, or use fewer --workers")

    def finish(self) -> tuple[dict[str, float], dict[str, int]]:
        """Return the seconds by stage and the counts, and be ready for the next task."""
        if self.stage:
            self.enter("")
        timings, self._timings = self._timings, {}
        measures, self._measures = self._measures, {}
        return timings, measures


class PublishedStages(StageClock):
    """A stage clock that also shows the stage to the coordinator, while it ``is_published``."""

    def __init__(self, status_slot: StatusSlot) -> None:
        """Show stages on ``status_slot``."""
        super().__init__()
        self.is_published = True
        self._status_slot = status_slot
        self._indexes: dict[str, int] = {"": 0}

    def enter(self, stage: str) -> None:
        """End the stage before and begin ``stage``."""
        super().enter(stage)
        if self.is_published:
            self.show()

    def show(self) -> None:
        """Show the stage that was entered last."""
        stage = self.stage
        index = self._indexes.get(stage)
        if index is None:
            index = self._indexes[stage] = self._status_slot.register_stage(stage)
        self._status_slot.set_stage(index)
