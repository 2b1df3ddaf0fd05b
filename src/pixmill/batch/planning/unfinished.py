"""The tasks of images that are failed or pending, found without listing the source where that is possible."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain, groupby

import msgspec

from pixmill.batch.config.shard import Shard
from pixmill.batch.item import from_payload, to_task
from pixmill.batch.planning.plan import Plan
from pixmill.batch.state.ledger_files import LedgerFile
from pixmill.core.errors import ImageError
from pixmill.engine.ledgers.sqlite import SqliteLedger
from pixmill.engine.task import State, Task
from pixmill.storage.entry import Entry


def unfinished_tasks(plan: Plan) -> Iterator[Task]:
    """Yield the tasks of the images that the ledger of ``plan`` records as failed or pending and that are still there.

    If only a listing can find them, yields all tasks of the source.
    """
    with closing(LedgerFile(Shard(), plan.locations.state).open(is_checked=False)) as ledger:
        must_list = ledger.is_exclusive or plan.locations.dataset is not None or any(map(_is_folder, _paths(plan, ledger)))
        found = None if must_list else plan.locations.source.find(_paths(plan, ledger))
        if found is not None:
            for _, entries in groupby(found, key=_folder):
                yield from map(plan.task, plan.items_of(list(entries)))
            plan.release()
            return
    yield from plan.tasks()


def present_version(plan: Plan, task: Task) -> Task | None:
    """Return the task for the image of ``task`` as it is now; ``None`` if it is gone or cannot be looked up."""
    item = from_payload(task.payload)
    try:
        now = plan.locations.source.storage.stat(item.locator or item.entry.path)
    except ImageError:
        return None
    if now is None or item.source_error:
        return None
    entry = Entry(item.entry.path, now.size, now.version, now.changed_at)
    item = msgspec.structs.replace(item, entry=entry)
    if item.template:  # late names are made of what a worker reads
        item = msgspec.structs.replace(item, names=(), facts=None)
    return to_task(item, plan.fingerprint, task.key)


def _paths(plan: Plan, ledger: SqliteLedger) -> Iterator[bytes]:
    """Yield their paths. Those that fail meanwhile are not yielded again, since the failed ones come first."""
    for record in chain(ledger.records(State.FAILED), ledger.records(State.PENDING)):
        path = plan.path_of(record.key)
        if path is not None:
            yield path


def _is_folder(path: bytes) -> bool:
    """Tell whether ``path`` is that of a folder which could not be read, whose images nobody knows."""
    return path.endswith(b"/")


def _folder(entry: Entry) -> bytes:
    return entry.path.rpartition(b"/")[0]
