"""Give a task what earlier runs made of it: outputs that need not be made again, and names that are its own.

A name passes from one image to another when an image comes or goes: a new ``a.jpg`` takes it from ``a.png``. What the other has
made under that name is pixmill's as well.
"""

from collections.abc import Callable, Collection, Iterable

import msgspec

from pixmill.batch.item import Item, OutputRecord, from_payload, unpack, with_former
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.scheduling.admission import Revise
from pixmill.engine.task import Task

#: tells whether an output is where it was written, for those that only the coordinator can find
Contains = Callable[[OutputRecord], bool]


def with_reusable_outputs(
    ledger: Ledger, *, is_taken: Callable[[bytes], bool], force: bool, holds: Contains | None = None
) -> Revise:
    """Return what adds to a task the outputs that are on record of it, and those of others that have a name which it gets now.

    ``is_taken`` tells whether anything may have a name. Whether outputs are still there is for the handler to see, unless ``holds``
    is asked. With ``force`` none of them counts as made.
    """

    def revise(task: Task, record: Record) -> Task:
        item = from_payload(task.payload)
        former = (*item.former, *on_record(record))
        if force:
            former = _unmarked(former)
        if holds is not None:
            former = tuple(filter(holds, former))
        else:
            former = (*former, *of_others(ledger, item, former, is_taken=is_taken))
        return task if record.is_new and not former else with_former(task, former, is_seen=holds is not None)

    return revise


def on_record(record: Record | None) -> tuple[OutputRecord, ...]:
    """Return every output that ``record`` knows of."""
    result = (record.result or record.former) if record else b""
    return unpack(result).recorded_outputs if result else ()


def of_others(
    ledger: Ledger, item: Item, known: Iterable[OutputRecord], *, is_taken: Callable[[bytes], bool]
) -> tuple[OutputRecord, ...]:
    """Return the outputs of other images under those names of ``item`` that are taken, and that no output ``known`` has.

    Who could have them is in the same folder, and is called as the image is but for what follows the stem.
    """
    own = {output.name for output in known}
    taken = {name for name in item.names if name not in own and is_taken(name)}
    if not taken:
        return ()
    folder, slash, name = item.entry.path.rpartition(b"/")
    records = ledger.beginning_with(folder + slash + (name.partition(b".")[0] or name))
    return _unmarked(output for record in records for output in on_record(record) if output.name in taken)


def handed_over(item: Item, outputs: Collection[OutputRecord]) -> Item:
    """Return ``item`` with those of ``outputs``, which belong to nobody any more, that have a name of its own."""
    former = _unmarked(output for output in outputs if output.name in item.names)
    return msgspec.structs.replace(item, former=former) if former else item


def _unmarked(outputs: Iterable[OutputRecord]) -> tuple[OutputRecord, ...]:
    """Return ``outputs`` as nothing that need not be made again."""
    return tuple(msgspec.structs.replace(output, mark=b"") for output in outputs)
