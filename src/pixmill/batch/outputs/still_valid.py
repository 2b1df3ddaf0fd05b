"""Tell whether the ledger record of a finished task is still valid: its outputs, or the cause of its failure, still exist."""

from collections.abc import Callable

from pixmill.batch.item import from_payload
from pixmill.batch.worker.claims import EXISTS
from pixmill.engine.ledger import Record
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import State, Task


def still_valid(outputs_exist: StillValid, is_taken: Callable[[bytes], bool]) -> StillValid:
    """Return a function that tells whether a record is still valid: by its outputs or, for an occupied name, by ``is_taken``."""

    def is_valid(task: Task, record: Record) -> bool:
        if record.state is State.DONE:
            return outputs_exist(task, record)
        if record.failure is None or record.failure.code != EXISTS:
            return True
        return any(map(is_taken, from_payload(task.payload).names))

    return is_valid
