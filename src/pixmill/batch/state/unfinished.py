"""Select the tasks that an earlier run found and did not finish: those that a retry is about."""

from collections.abc import Iterable, Iterator
from itertools import islice

from pixmill.engine.ledger import LedgerView
from pixmill.engine.task import State, Task

CHUNK_SIZE = 1000


def unfinished(tasks: Iterable[Task], ledger: LedgerView) -> Iterator[Task]:
    """Yield those of ``tasks`` that ``ledger`` records as failed or pending; not those that are new or done."""
    stream = iter(tasks)
    while chunk := list(islice(stream, CHUNK_SIZE)):
        records = ledger.get([task.key for task in chunk])
        yield from (task for task, record in zip(chunk, records, strict=True) if record and record.state is not State.DONE)
