"""Tasks and what becomes of them, for the tests of ledgers."""

from collections.abc import Sequence

from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import Attempt, BegunTask, Done, Failed, Failure, State, Task

#: a failure with all its fields
BROKEN = Failure(code="decode", stage="decode", message="cut off", hint="look at it", signal=11, peak_rss=5)


def number(value: int) -> bytes:
    """Return a 16-byte id made from ``value``."""
    return value.to_bytes(16, "big")


def tasks(count: int) -> list[Task]:
    """Return ``count`` tasks, the same ones on each call."""
    return [Task(number(index), b"key-%d" % index) for index in range(count)]


def fresh(task: Task, *, is_new: bool = False, former: bytes = b"") -> Record:
    """Return the expected record of an untried task; ``is_new`` for one that has just been added."""
    return Record(key=task.key, id=task.id, state=State.PENDING, is_new=is_new, former=former)


def begun(task: Task, *, seconds: float = 1.0, alone: bool = False) -> BegunTask:
    """Return ``task`` as one that was at work when its run died."""
    return BegunTask(id=task.id, started_at=7.0, seconds=seconds, alone=alone)


def finish(ledger: Ledger, done: Sequence[Task]) -> None:
    """Add and start the tasks, and record them as done."""
    ledger.get_or_add(done)
    ledger.start_attempts([Attempt(task) for task in done])
    ledger.record_outcomes([Done(task=task, result=b"result of " + task.key) for task in done])


def fail(ledger: Ledger, failed: Sequence[Task]) -> None:
    """Add and start the tasks, and record them as failed."""
    ledger.get_or_add(failed)
    ledger.start_attempts([Attempt(task) for task in failed])
    ledger.record_outcomes([Failed(task=task, failure=BROKEN) for task in failed])
