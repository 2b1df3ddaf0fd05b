"""Tell whether the ledger record of a finished task is still valid: its outputs, or the cause of its failure, still exist."""

from pixmill.batch.item import REJECTED, Item, from_payload, unpack
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.batch.worker.claims import EXISTING, EXISTS, NAME, OUTPUT, REPLACING
from pixmill.core.errors import MissingExtra
from pixmill.engine.ledger import Record
from pixmill.engine.scheduling.admission import StillValid
from pixmill.engine.task import Failure, State, Task
from pixmill.storage.storage import Storage

#: codes of failures whose cause was gone when they were recorded, so that the next run tries again
PASSING = frozenset({"changed", "read-changed"})
#: codes of failures of an image that was not, when it was read, what had been listed
CHANGED = PASSING | {"read-vanished"}


def still_valid(outputs_exist: StillValid, destination: Storage | None, *, existing: str) -> StillValid:
    """Return a function that tells whether a record is still valid.

    That of a finished image is while its outputs exist, that of a rejected one always is. That of a failed one is until its cause
    is gone: until another file, or none, is where its output belongs, or a missing extra is installed.

    ``destination`` is ``None`` for a dataset, where no name is occupied. An image whose name was occupied fails again, without an
    attempt, as long as the same file is there and ``existing`` makes that a failure. Where ``existing`` replaces files, so it does
    with outputs that were changed.
    """

    def is_valid(task: Task, record: Record) -> bool | str:
        if record.state is State.DONE:
            if rejected := unpack(record.result).rejected:
                return REJECTED + rejected
            holds = outputs_exist(task, record)
            return holds != OUTPUT_CHANGED and holds if existing in REPLACING else holds
        failure = record.failure
        if failure is None or failure.code != EXISTS:
            return failure is None or _lasts(failure)
        if destination is None or not _is_failure(failure, existing):
            return False
        return _is_occupied(from_payload(task.payload), failure, destination)

    return is_valid


def _lasts(failure: Failure) -> bool:
    """Tell whether the cause of ``failure`` is still there, as far as can be known without another attempt."""
    if failure.code != MissingExtra.code:
        return failure.code not in PASSING
    from pixmill.batch.outputs.extras import is_installed_since  # noqa: PLC0415  # no other run needs the metadata of packages

    return not is_installed_since(failure.hint)


def _is_failure(failure: Failure, existing: str) -> bool:
    """Tell whether the ``failure`` of an occupied name is one under this value of ``--existing``, too."""
    return existing in ("fail", "refuse") or (existing == "adopt" and failure.evidence.get(EXISTING) == existing)


def _is_occupied(item: Item, failure: Failure, destination: Storage) -> bool:
    """Tell whether the file is still there that ``failure`` is due to; for earlier versions, which did not record it, any file."""
    names, output, recorded = item.names, failure.evidence.get(OUTPUT), failure.evidence.get(NAME)
    if item.is_unnamed and isinstance(recorded, str):
        names, output = (recorded.encode(),), 0
    if not isinstance(output, int) or output >= len(names):
        return any(map(destination.is_occupied, names))
    version = destination.version_of(names[output])
    return version is not None and all(failure.evidence.get(name, each) == each for name, each in version.evidence().items())
