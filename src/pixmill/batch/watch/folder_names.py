"""Names images that arrive in a folder, considering those beside them that matter: the names are the same as those of a run."""

from collections.abc import Collection, Iterable, Sequence

from pixmill.batch.item import Item
from pixmill.batch.naming.namer import Namer
from pixmill.batch.planning.plan import Plan
from pixmill.batch.planning.selection import Selector
from pixmill.batch.watch.root import watched_folder
from pixmill.engine.ledger import Ledger
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage


class FolderNamer:
    """Names arriving images, one folder at a time.

    If images are moved out of SRC when they are done (``empties``), outputs are never overwritten: a second ``a.jpg`` is a new
    image.
    """

    def __init__(self, plan: Plan, ledger: Ledger, *, empties: bool) -> None:
        """List folders as ``plan`` does, without counting ignored files again."""
        self._plan = plan.fresh_copy()
        self._source, _ = watched_folder(plan)
        self._ledger = ledger
        self._empties = empties
        self._destination = open_storage(plan.locations.destination)

    def list_folder(self, folder: bytes, arrived: Iterable[bytes]) -> list[Entry]:
        """Return those entries of one folder that ``arrived``, and the files and subfolders whose names concern theirs.

        There are none if the folder is gone or unreadable.
        """
        return self._source.siblings(folder, {self._source.stem(path.rpartition(b"/")[2]) for path in arrived})

    def name_items(self, entries: Sequence[Entry], *, arrived: Collection[bytes], selector: Selector | None = None) -> list[Item]:
        """Name all ``entries``, which are of one folder, and return the items of the paths ``arrived``.

        If a ``selector`` is given, it chooses the entries and counts the ignored ones.
        """
        chosen, folders = (selector or self._plan.selector).choose(entries)
        names = self._namer(chosen, arrived, folders).names([entry.path for entry in chosen], folders)
        takes = self._plan.config.selection.part.takes
        return [self._plan.item(entry, names[entry.path]) for entry in chosen if entry.path in arrived and takes(entry.path)]

    def _namer(self, chosen: Sequence[Entry], arrived: Collection[bytes], folders: Sequence[bytes]) -> Namer:
        if not self._empties:
            return self._plan.namer
        new = [entry for entry in chosen if entry.path in arrived]
        names = self._plan.namer.names([entry.path for entry in chosen], folders)
        tasks = [self._plan.task(self._plan.item(entry, names[entry.path])) for entry in new]
        records = self._ledger.get([task.key for task in tasks])
        unrecorded = {
            entry.path
            for entry, task, record in zip(new, tasks, records, strict=True)
            if record is None or (record.id != task.id and not self._plan.is_same(task, record))
        }
        return self._plan.make_namer(lambda source, name: source in unrecorded and self._destination.stat(name) is not None)
