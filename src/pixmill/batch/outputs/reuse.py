"""Add to a task the outputs of earlier runs: those that can be reused, and those whose names it may overwrite.

A name passes from one image to another when images are added or removed: a new ``a.jpg`` takes it from ``a.png``. The output that
the other image has under that name was written by pixmill too.
"""

from collections.abc import Callable, Collection, Iterable

import msgspec

from pixmill.batch.item import Item, OutputRecord, from_payload, unpack, with_former
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.scheduling.admission import Revise
from pixmill.engine.task import Task

#: tells whether an output still exists, for outputs that only the coordinator can find
Contains = Callable[[OutputRecord], bool]


def with_reusable_outputs(
    ledger: Ledger, *, is_taken: Callable[[bytes], bool], force: bool, contains: Contains | None = None
) -> Revise:
    """Return a function that adds to a task its recorded outputs, and those of other images under the names it has now.

    ``is_taken`` tells whether a name may exist. The handler checks whether the outputs still exist, unless ``contains`` does.
    With ``force`` none of them is reused.
    """

    def revise(task: Task, record: Record) -> Task:
        item = from_payload(task.payload)
        former = (*item.former, *recorded_outputs(record))
        if force:
            former = _without_fingerprints(former)
        if contains is not None:
            former = tuple(filter(contains, former))
        else:
            former = (*former, *outputs_of_others(ledger, item, former, is_taken=is_taken))
        return task if record.is_new and not former else with_former(task, former, is_verified=contains is not None)

    return revise


def recorded_outputs(record: Record | None) -> tuple[OutputRecord, ...]:
    """Return every output in ``record``."""
    result = (record.result or record.former) if record else b""
    return unpack(result).recorded_outputs if result else ()


def outputs_of_others(
    ledger: Ledger, item: Item, own_outputs: Iterable[OutputRecord], *, is_taken: Callable[[bytes], bool]
) -> tuple[OutputRecord, ...]:
    """Return the outputs of other images under those names of ``item`` that are taken but not among ``own_outputs``.

    Only images in the same folder with the same stem can have them.
    """
    own = {output.name for output in own_outputs}
    taken = {name for name in item.names if name not in own and is_taken(name)}
    if not taken:
        return ()
    folder, slash, name = item.entry.path.rpartition(b"/")
    records = ledger.beginning_with(folder + slash + (name.partition(b".")[0] or name))
    return _without_fingerprints(output for record in records for output in recorded_outputs(record) if output.name in taken)


def with_released_outputs(item: Item, outputs: Collection[OutputRecord]) -> Item:
    """Return ``item`` with those of ``outputs``, whose images are gone, that have one of its names."""
    former = _without_fingerprints(output for output in outputs if output.name in item.names)
    return msgspec.structs.replace(item, former=former) if former else item


def _without_fingerprints(outputs: Iterable[OutputRecord]) -> tuple[OutputRecord, ...]:
    """Return ``outputs`` so that none is reused."""
    return tuple(msgspec.structs.replace(output, fingerprint=b"") for output in outputs)
