"""Decide from the ledger whether a task needs an attempt or already has its outcome."""

from collections.abc import Callable, Sequence

from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.policy import Policy
from pixmill.engine.task import Attempt, Failed, Failure, Outcome, Skipped, State, Task

StillValid = Callable[[Task, Record], bool]
Revise = Callable[[Task, Record], Task]


class Admission:
    """Compares tasks with their records.

    ``still_valid`` returns whether a finished record still holds; ``None`` trusts every record. ``revise`` returns the task to
    send in place of one that needs an attempt, given its pending record. ``force`` ignores all earlier outcomes.
    """

    def __init__(
        self, ledger: Ledger, policy: Policy, *, still_valid: StillValid | None, revise: Revise | None, force: bool
    ) -> None:
        """Decide from the records of ``ledger``."""
        self._revise = revise
        self._ledger = ledger
        self._policy = policy
        self._still_valid = still_valid
        self._force = force

    def decide(self, tasks: Sequence[Task]) -> tuple[list[Outcome], list[Attempt]]:
        """Return the outcomes that are known already, and the first attempt of each other task."""
        outcomes: list[Outcome] = []
        pending: list[tuple[Task, Record]] = []
        for task, record in zip(tasks, self._ledger.get_or_add(tasks), strict=True):
            outcome = self._known_outcome(task, record)
            if outcome is None:
                pending.append((task, record))
            else:
                outcomes.append(outcome)
        finished = [task for task, record in pending if record.state is not State.PENDING]
        if finished:
            self._ledger.renew(finished)
        return outcomes, [self.attempt(self._revised(task, record), self._next_number(record)) for task, record in pending]

    def attempt(self, task: Task, number: int) -> Attempt:
        """Return attempt ``number`` of ``task``; the last one allowed is isolated, unless it is the only one."""
        return Attempt(task, number, isolated=1 < number >= self._policy.attempts)

    def _known_outcome(self, task: Task, record: Record) -> Outcome | None:
        if record.id != task.id or self._force:
            return None
        if record.state == State.DONE:
            return Skipped(task=task) if self._holds(task, record) else None
        if record.state == State.FAILED and record.failure is not None and self._holds(task, record):
            return Failed(task=task, failure=record.failure, attempts=record.attempts, seconds=record.seconds, remembered=True)
        if record.interruptions >= self._policy.interruptions:
            return Failed(task=task, failure=_suspect(record.interruptions), attempts=record.attempts)
        return None

    def _holds(self, task: Task, record: Record) -> bool:
        return self._still_valid is None or self._still_valid(task, record)

    def _revised(self, task: Task, record: Record) -> Task:
        return task if self._revise is None else self._revise(task, record)

    def _next_number(self, record: Record) -> int:
        """Return the number of the next attempt; a task that has used up its attempts, under a laxer policy, gets one more."""
        return min(record.attempts + 1, self._policy.attempts) if record.state == State.PENDING else 1


def _suspect(interruptions: int) -> Failure:
    return Failure(
        code="interrupted",
        stage="",
        message=f"{interruptions} runs died while this was in flight",
        hint="it may have killed them; to try it again: pixmill retry DST",
    )
