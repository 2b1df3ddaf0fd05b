"""Give a task what earlier runs made of it: outputs that need not be made again, and names that are its own."""

from collections.abc import Callable

import msgspec

from pixmill.batch.item import Written, unpack, with_former
from pixmill.engine.admission import Revise
from pixmill.engine.ledger import Record
from pixmill.engine.task import Task

#: tells whether an output is where it was written, for those that only the coordinator can find
Holds = Callable[[Written], bool]


def with_earlier_outputs(*, force: bool, holds: Holds | None = None) -> Revise:
    """Return what adds to a task the outputs that are on record of it.

    Whether they are still there is for the handler to see, unless ``holds`` is asked. With ``force`` none of them counts as made.
    """

    def revise(task: Task, record: Record) -> Task:
        if record.is_new:
            return task
        result = record.result or record.former
        former = unpack(result).written if result else ()
        if force:
            former = tuple(msgspec.structs.replace(output, mark=b"") for output in former)
        if holds is not None:
            former = tuple(filter(holds, former))
        return with_former(task, former, is_seen=holds is not None)

    return revise
