"""Names images that arrive in a folder, considering all images in it: the names are the same as those of a run."""

from collections.abc import Collection, Sequence

import msgspec

from pixmill.batch.item import Item, to_task
from pixmill.batch.naming.namer import Namer
from pixmill.batch.planning.plan import Plan
from pixmill.batch.planning.selection import Selector
from pixmill.batch.watch.root import watched_folder
from pixmill.engine.ledger import Ledger
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage


class NamedItems(msgspec.Struct, frozen=True):
    """The work in a folder: images that ``arrived``, and images ``renamed`` because of them. ``names``: all names of its images."""

    arrived: tuple[Item, ...] = ()
    renamed: tuple[Item, ...] = ()
    names: frozenset[bytes] = frozenset()


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

    def list_folder(self, folder: bytes) -> list[Entry]:
        """Return the entries of one folder, including its subfolders; none if it is gone or unreadable."""
        return self._source.siblings(folder)

    def name_items(
        self,
        entries: Sequence[Entry],
        *,
        arrived: Collection[bytes],
        gone: Collection[bytes] = (),
        selector: Selector | None = None,
    ) -> NamedItems:
        """Name all ``entries`` of one folder after the paths ``arrived`` have been added to it and ``gone`` removed from it.

        If a ``selector`` is given, it chooses the entries and counts the ignored ones.
        """
        chosen, folders = (selector or self._plan.selector).choose(entries)
        paths = [entry.path for entry in chosen]
        namer = self._namer(chosen, arrived, folders)
        names = namer.names(paths, folders)
        before = namer.names([*(path for path in paths if path not in arrived), *gone], folders)
        takes = self._plan.config.selection.shard.takes
        items = [self._plan.item(entry, names[entry.path]) for entry in chosen if takes(entry.path)]
        return NamedItems(
            arrived=tuple(item for item in items if item.entry.path in arrived),
            renamed=tuple(item for item in items if item.names != before.get(item.entry.path, item.names)),
            names=frozenset(name for each in names.values() for name in each),
        )

    def _namer(self, chosen: Sequence[Entry], arrived: Collection[bytes], folders: Sequence[bytes]) -> Namer:
        if not self._empties:
            return self._plan.namer
        new = [entry for entry in chosen if entry.path in arrived]
        names = self._plan.namer.names([entry.path for entry in chosen], folders)
        tasks = [to_task(self._plan.item(entry, names[entry.path]), self._plan.fingerprint) for entry in new]
        records = self._ledger.get_exact(tasks)
        unrecorded = {task.key for task, record in zip(tasks, records, strict=True) if record is None}
        return self._plan.make_namer(lambda source, name: source in unrecorded and self._destination.stat(name) is not None)
