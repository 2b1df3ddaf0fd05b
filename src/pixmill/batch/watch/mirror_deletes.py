"""Removes the outputs of removed images, if this is enabled."""

from collections.abc import Callable, Iterable, Iterator

from pixmill.batch.naming.reserved import name_key
from pixmill.batch.outputs.reuse import recorded_outputs
from pixmill.batch.planning.plan import Plan
from pixmill.batch.pruning.presence import EMPTY, ListedFolders, Presence
from pixmill.batch.pruning.removal import Remover
from pixmill.batch.pruning.result import SOURCE_GONE
from pixmill.batch.pruning.search import Compare, Removal
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import State
from pixmill.storage.local.case import ignores_case
from pixmill.storage.retry.storage import open_with_retries


class DeletionMirror:
    """Removes only outputs recorded in the ledger that are as they were written; the rules are those of ``pixmill prune``.

    An image in a folder that is empty or cannot be read may be on a disk that is not mounted, so it does not count as gone.
    """

    def __init__(self, plan: Plan, ledger: Ledger, on_removed: Callable[[bytes], None]) -> None:
        """Call ``on_removed`` for each removed output."""
        self._plan = plan
        self._ledger = ledger
        self._on_removed = on_removed
        destination = plan.locations.destination
        self._folds = ignores_case(plan.locations.state)
        follow_links = plan.config.placement.follow_output_links
        self._compare = Compare(open_with_retries(destination), destination, follow_links=follow_links)
        self._remover = Remover([ledger], destination, folds=self._folds, keeps_folders=True)
        self._folders = ListedFolders(plan.locations.source.storage)

    def remove(self, paths: Iterable[bytes]) -> None:
        """Remove the outputs of the images ``paths``, their records, and their claims to names."""
        for path in paths:
            records = self._ledger.get([self._plan.key(path)])
            removals = [removal for record in records if record for removal in self._removals(record)]
            if not removals:
                continue
            self._remover.remove([(removals[0].key, removals)])
            for name in sorted(removal.name for removal in removals if removal.name and not removal.difference):
                self._on_removed(name)
            self._plan.disown(self._ledger, [removal.name for removal in removals if removal.name])

    def gone(self, paths: Iterable[bytes], *, is_reported: bool) -> set[bytes]:
        """Return those of ``paths`` that are gone and, if they were folders, the finished images that were in them.

        ``is_reported``: the kernel has reported them, so an empty folder is one that was emptied.
        """
        self._folders.forget()
        gone: set[bytes] = set()
        folders: list[bytes] = []
        for path in sorted(paths):
            seen, folder = self._folders.look(path), path.rpartition(b"/")[0]
            was_emptied = self._folders.unlisted.get(folder) == EMPTY and (is_reported or not folder)
            if self._ledger.get([self._plan.key(path)])[0] is None:
                folders.append(path + b"/")
            elif seen is Presence.GONE or (seen is Presence.UNKNOWN and was_emptied):
                gone.add(path)
        return gone.union(self._missing(*folders)) if folders else gone

    def missing(self) -> Iterator[bytes]:
        """Yield the paths of all finished images that are gone."""
        self._folders.forget()
        return self._missing(b"")

    def _missing(self, *below: bytes) -> Iterator[bytes]:
        keys, own = self._plan.source_keys, self._plan.key(b"")
        prefixes = tuple(own + each for each in below)
        for record in self._ledger.records(State.DONE):
            if record.key.startswith(prefixes) and keys.prefix(record.key) == own:
                path = keys.path(record.key)
                if self._folders.look(path) is Presence.GONE:
                    yield path

    def _removals(self, record: Record) -> Iterator[Removal]:
        yield Removal(record.key, (0,), SOURCE_GONE)
        for output in recorded_outputs(record):
            noted = name_key(output.name, folds=self._folds)
            if not output.is_adopted and all(owner == record.key for _, owner in self._ledger.owners(noted, noted + b"\0")):
                removal = Removal(record.key, (0,), SOURCE_GONE, output.name, output.size)
                what, version = self._compare((removal, output))
                yield Removal(record.key, (0,), SOURCE_GONE, output.name, output.size, version, what)
