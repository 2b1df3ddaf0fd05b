"""Tell whether the ledger record of a finished task is still valid: its outputs, or the cause of its failure, still exist."""

from collections.abc import Callable

from pixmill.batch.item import from_payload
from pixmill.batch.worker.claims import EXISTS
from pixmill.core.errors import MissingExtra
from pixmill.engine.ledger import Record
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import State, Task

#: codes of failures whose cause was gone when they were recorded, so that the next run tries again
PASSING = frozenset({"changed", "read-changed"})


def still_valid(outputs_exist: StillValid, is_taken: Callable[[bytes], bool]) -> StillValid:
    """Return a function that tells whether a record is still valid.

    That of a finished image is while its outputs exist. That of a failed one is while ``is_taken`` is true of an occupied name,
    and until a missing extra is installed.
    """

    def is_valid(task: Task, record: Record) -> bool:
        if record.state is State.DONE:
            return outputs_exist(task, record)
        if record.failure is None:
            return True
        if record.failure.code == EXISTS:
            return any(map(is_taken, from_payload(task.payload).names))
        if record.failure.code == MissingExtra.code:
            return not _is_installed_since(record.failure.hint)
        return record.failure.code not in PASSING

    return is_valid


def _is_installed_since(hint: str) -> bool:
    from pixmill.core.extras import is_installed_since  # noqa: PLC0415  # no other run needs the metadata of packages

    return is_installed_since(hint)
