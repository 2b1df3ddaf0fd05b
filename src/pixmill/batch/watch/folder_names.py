"""Names the images that came into a folder, in view of all that are in it: the names are those that a run would give."""

from collections.abc import Collection, Sequence

import msgspec

from pixmill.batch.item import Item, to_task
from pixmill.batch.naming.namer import Namer
from pixmill.batch.planning.plan import Plan
from pixmill.batch.watch.root import watched
from pixmill.engine.ledger import Ledger
from pixmill.storage.entry import Entry
from pixmill.storage.open import open_storage


class NamedItems(msgspec.Struct, frozen=True):
    """What is to be done in a folder: ``came`` in it, and ``renamed`` because of others. ``names``: all that its images have."""

    came: tuple[Item, ...] = ()
    renamed: tuple[Item, ...] = ()
    names: frozenset[bytes] = frozenset()


class FolderNamer:
    """Names what comes, a folder at a time.

    Where images leave SRC once they are done (``empties``), an output is never written over: a second ``a.jpg`` is another picture.
    """

    def __init__(self, plan: Plan, ledger: Ledger, *, empties: bool) -> None:
        """Look at folders as ``plan`` does; what is ignored is not counted again."""
        self._plan = plan.fresh_copy()
        self._source, _ = watched(plan)
        self._ledger = ledger
        self._empties = empties
        self._destination = open_storage(plan.locations.destination)

    def listed(self, folder: bytes) -> list[Entry]:
        """Return the entries of one folder, and the folders in it; none when it is gone or nobody may read it."""
        return self._source.siblings(folder)

    def named(self, entries: Sequence[Entry], *, came: Collection[bytes], gone: Collection[bytes] = ()) -> NamedItems:
        """Name the ``entries`` of one folder, all of them, into which ``came`` have come, and from which ``gone`` have gone."""
        chosen, folders = self._plan.selector.choose(entries)
        paths = [entry.path for entry in chosen]
        namer = self._namer(chosen, came, folders)
        names = namer.names(paths, folders)
        before = namer.names([*(path for path in paths if path not in came), *gone], folders)
        takes = self._plan.config.selection.shard.takes
        items = [self._plan.item(entry, names[entry.path]) for entry in chosen if takes(entry.path)]
        return NamedItems(
            came=tuple(item for item in items if item.entry.path in came),
            renamed=tuple(item for item in items if item.names != before.get(item.entry.path, item.names)),
            names=frozenset(name for each in names.values() for name in each),
        )

    def _namer(self, chosen: Sequence[Entry], came: Collection[bytes], folders: Sequence[bytes]) -> Namer:
        if not self._empties:
            return self._plan.namer
        fresh = [entry for entry in chosen if entry.path in came]
        names = self._plan.namer.names([entry.path for entry in chosen], folders)
        tasks = [to_task(self._plan.item(entry, names[entry.path]), self._plan.fingerprint) for entry in fresh]
        known = self._ledger.get_exact(tasks)
        strangers = {task.key for task, record in zip(tasks, known, strict=True) if record is None}
        return self._plan.make_namer(lambda source, name: source in strangers and self._destination.stat(name) is not None)
