"""The stage that a worker is in, written on its beacon as it goes."""

from pixmill.engine.ipc.status_slot import Beacon
from pixmill.engine.worker.invoke import StageClock


class BeaconStages(StageClock):
    """A stage clock that also shows the stage to the coordinator, while it ``is_shown``."""

    def __init__(self, beacon: Beacon) -> None:
        """Show stages on ``beacon``."""
        super().__init__()
        self.is_shown = True
        self._beacon = beacon
        self._indexes: dict[str, int] = {"": 0}

    def enter(self, stage: str) -> None:
        """End the stage before and begin ``stage``."""
        super().enter(stage)
        if self.is_shown:
            self.show()

    def show(self) -> None:
        """Show the stage that was entered last."""
        stage = self.stage
        index = self._indexes.get(stage)
        if index is None:
            index = self._indexes[stage] = self._beacon.name_stage(stage)
        self._beacon.enter(index)
