"""Decide from the ledger whether a task needs an attempt or already has its outcome."""

from collections.abc import Callable, Sequence

import msgspec

from pixmill.engine.ledger import IsSame, Ledger, Record
from pixmill.engine.policy import Policy
from pixmill.engine.scheduling.suspects import Suspect, exhausted_failure
from pixmill.engine.task import Attempt, Failed, Outcome, Skipped, State, Task

#: tells whether a finished record still holds; a text means that it does, and is the reason for skipping a task that is done
StillValid = Callable[[Task, Record], bool | str]
Revise = Callable[[Task, Record], Task]


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about some tasks.

    ``unchanged``: nothing. ``outcomes``: nothing either, they are known. ``attempts``: the first ones of the others, except for
    those of ``suspects``.
    """

    unchanged: Sequence[Task]
    outcomes: Sequence[Outcome]
    attempts: Sequence[Attempt]
    suspects: Sequence[Suspect]


class Admission:
    """Compares tasks with their records.

    ``still_valid`` returns whether a finished record still holds; ``None`` trusts every record. ``revise`` returns the task to
    send in place of one that needs an attempt, given its pending record. ``is_same`` is that of ``Ledger.get_or_add``. ``force``
    ignores all earlier outcomes.
    """

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy,
        *,
        still_valid: StillValid | None,
        revise: Revise | None,
        is_same: IsSame | None,
        force: bool,
    ) -> None:
        """Decide from the records of ``ledger``."""
        self._revise = revise
        self._is_same = is_same
        self._ledger = ledger
        self._policy = policy
        self._still_valid = still_valid
        self._force = force

    def decide(self, tasks: Sequence[Task]) -> Decisions:
        """Return which of ``tasks`` have an outcome, and the first attempt of each other one."""
        unchanged: list[Task] = []
        outcomes: list[Outcome] = []
        pending: list[tuple[Task, Record]] = []
        done, force, still_valid = State.DONE, self._force, self._still_valid
        for task, record in zip(tasks, self._ledger.get_or_add(tasks, is_same=self._is_same), strict=True):
            if record.state is done and record.id == task.id and not force:
                holds = still_valid is None or still_valid(task, record)
                if holds is True:
                    unchanged.append(task)
                elif holds:
                    outcomes.append(Skipped(task=task, reason=str(holds)))
                else:
                    pending.append((task, record))
                continue
            outcome = self._known_outcome(task, record)
            if outcome is None:
                pending.append((task, record))
            else:
                outcomes.append(outcome)
        finished = [task for task, record in pending if record.state is not State.PENDING]
        if finished:
            self._ledger.renew(finished)
        attempts: list[Attempt] = []
        suspects: list[Suspect] = []
        for task, record in pending:
            attempt = self._attempt(self._revised(task, record), self._next_number(record))
            if record.interruptions and record.state is State.PENDING:
                attempt = msgspec.structs.replace(attempt, deaths=record.interruptions)
                suspects.append(Suspect(attempt, record.tried_at))
            else:
                attempts.append(attempt)
        return Decisions(unchanged=unchanged, outcomes=outcomes, attempts=attempts, suspects=suspects)

    def next_attempt(self, attempt: Attempt, *, alone: bool) -> Attempt:
        """Return the attempt after ``attempt``; the last one allowed is isolated if it is to be ``alone``."""
        number = attempt.number + 1
        return msgspec.structs.replace(attempt, number=number, isolated=alone and number >= self._policy.attempts)

    def _attempt(self, task: Task, number: int) -> Attempt:
        """Return attempt ``number`` of ``task``; the last one allowed is isolated, unless it is the only one."""
        return Attempt(task, number, isolated=1 < number >= self._policy.attempts)

    def _known_outcome(self, task: Task, record: Record) -> Outcome | None:
        if record.id != task.id or self._force:
            return None
        if record.state == State.FAILED and record.failure is not None and self._holds(task, record):
            return Failed(task=task, failure=record.failure, attempts=record.attempts, seconds=record.seconds, remembered=True)
        failure = exhausted_failure(record, self._policy) if record.interruptions else None
        return Failed(task=task, failure=failure, attempts=record.attempts) if failure else None

    def _holds(self, task: Task, record: Record) -> bool | str:
        return self._still_valid is None or self._still_valid(task, record)

    def _revised(self, task: Task, record: Record) -> Task:
        return task if self._revise is None else self._revise(task, record)

    def _next_number(self, record: Record) -> int:
        """Return the number of the next attempt; a task that has used up its attempts, under a laxer policy, gets one more."""
        return min(record.attempts + 1, self._policy.attempts) if record.state == State.PENDING else 1
