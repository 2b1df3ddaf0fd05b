"""Whether what the ledger says of a finished task still holds: its outputs are there, or what it failed of is."""

from collections.abc import Callable

from pixmill.batch.item import from_payload
from pixmill.batch.worker.claims import EXISTS
from pixmill.engine.ledger import Record
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import State, Task


def still_valid(outputs_stand: StillValid, is_taken: Callable[[bytes], bool]) -> StillValid:
    """Return what tells whether a record holds: by its outputs, or by ``is_taken`` for one that failed of an occupied name."""

    def holds(task: Task, record: Record) -> bool:
        if record.state is State.DONE:
            return outputs_stand(task, record)
        if record.failure is None or record.failure.code != EXISTS:
            return True
        return any(map(is_taken, from_payload(task.payload).names))

    return holds
