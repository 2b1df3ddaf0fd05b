"""Decide whether an attempt is to blame when its node is lost: usually not, but it must not take down one node after another."""

from collections.abc import Sequence

from pixmill.core.remedy import with_command
from pixmill.engine.cluster.node_agent import NODE_LOST
from pixmill.engine.executor import ExecutorEvent, Lost, Returned
from pixmill.engine.task import Attempt, Failure

#: the number of nodes lost while holding an attempt at which the attempt is blamed
_MAX_LOSSES = 3


class LossTracker:
    """Counts the nodes that were lost while they held each unanswered attempt."""

    def __init__(self) -> None:
        """Start with no losses."""
        self._losses: dict[bytes, int] = {}

    def record(self, label: str, reason: str, attempts: Sequence[Attempt]) -> list[ExecutorEvent]:
        """Return the events for the node called ``label``, which was lost with ``attempts`` for this ``reason``."""
        failure = Failure(code=NODE_LOST, stage="", message=f"node {label}: {reason}", node=label)
        suspects: list[Attempt] = []
        unaffected: list[Attempt] = []
        for attempt in attempts:
            losses = self._losses[attempt.task.key] = self._losses.get(attempt.task.key, 0) + 1
            (suspects if losses >= _MAX_LOSSES else unaffected).append(attempt)
        events: list[ExecutorEvent] = [Lost(pid=0, failure=failure)]
        if unaffected:
            events.append(Returned(attempts=tuple(unaffected)))
        return events + [Lost(pid=0, failure=_suspicion(failure, self._losses[each.task.key]), attempt=each) for each in suspects]

    def forget(self, attempt: Attempt) -> None:
        """Clear ``attempt`` of suspicion: a node has answered it."""
        self._losses.pop(attempt.task.key, None)


def _suspicion(failure: Failure, losses: int) -> Failure:
    message = f"{losses} nodes were lost while they held this; the last one, {failure.message}"
    options: dict[str, bool | int | str] = {"executor": "local"}
    hint = with_command("it may have taken them down; to try it on this machine", options)
    return Failure(code=failure.code, stage="", message=message, hint=hint, options=options, node=failure.node)
