"""What is said of the attempts of a lost node: innocent as a rule, but an attempt that takes nodes down must not take them all."""

from collections.abc import Sequence

from pixmill.engine.cluster.node_agent import NODE_LOST
from pixmill.engine.executor import ExecutorEvent, Lost, Returned
from pixmill.engine.task import Attempt, Failure

#: nodes that may be lost while they hold an attempt before it is suspected
_MAX_LOSSES = 3


class LossTracker:
    """Counts the nodes that were lost with each attempt that has not been answered."""

    def __init__(self) -> None:
        """Nothing has been lost yet."""
        self._losses: dict[bytes, int] = {}

    def record(self, label: str, reason: str, attempts: Sequence[Attempt]) -> list[ExecutorEvent]:
        """Return what to report of the node called ``label``, which was lost with ``attempts`` for this ``reason``."""
        failure = Failure(code=NODE_LOST, stage="", message=f"node {label}: {reason}", node=label)
        suspects: list[Attempt] = []
        unaffected: list[Attempt] = []
        for attempt in attempts:
            lost = self._losses[attempt.task.key] = self._losses.get(attempt.task.key, 0) + 1
            (suspects if lost >= _MAX_LOSSES else unaffected).append(attempt)
        reports: list[ExecutorEvent] = [Lost(pid=0, failure=failure)]
        if unaffected:
            reports.append(Returned(attempts=tuple(unaffected)))
        return reports + [Lost(pid=0, failure=_suspicion(failure, self._losses[each.task.key]), attempt=each) for each in suspects]

    def forget(self, attempt: Attempt) -> None:
        """Clear ``attempt`` of suspicion: a node has answered it."""
        self._losses.pop(attempt.task.key, None)


def _suspicion(failure: Failure, losses: int) -> Failure:
    message = f"{losses} nodes were lost while they held this; the last one, {failure.message}"
    hint = "it may be what took them down; try it alone on one machine"
    return Failure(code=failure.code, stage="", message=message, hint=hint, node=failure.node)
