"""Whose the names of outputs are: an image keeps the name that it was given, and no other image gets it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial

from pixmill.batch.naming.reserved import name_key
from pixmill.batch.state.earlier_ledgers import EarlierLedgers
from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger

GENERATION = 10_000  # names; those of the last two generations may not be in the ledger yet


class NameOwners:
    """Looks up the owners of names in ``ledgers``. An owner is the key of a task.

    Names that this run has given and not recorded yet are remembered, since images of different folders may want the same.
    ``folds``: the destination ignores the case of folders. ``key`` returns the key of a name.
    """

    def __init__(self, ledgers: EarlierLedgers, *, folds: bool) -> None:
        """Store the parameters."""
        self._ledgers = ledgers
        self.key: Callable[[bytes], bytes] = partial(name_key, folds=True) if folds else name_key
        self._given: dict[bytes, bytes] = {}
        self._given_before: dict[bytes, bytes] = {}

    def of_folders(self, names: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the owner of every name in the folders of ``names``, by the key of the name."""
        folders = dict.fromkeys(map(self._folder, {name.rpartition(b"/")[0] for name in names}))
        with self._ledgers.lock:
            ledgers = self._ledgers.opened()
            owners = {name: owner for folder in folders for name, owner in _owners(ledgers, folder)}
        for given in filter(None, (self._given_before, self._given)):
            owners.update((key, owner) for key, owner in given.items() if key.partition(b"\0")[0] in folders)
        return owners

    def give(self, names: Mapping[bytes, Iterable[bytes]]) -> None:
        """Note that each owner gets these names. Call it once a folder, after the tasks of the former folder have been taken."""
        if len(self._given) > GENERATION:
            self._given_before, self._given = self._given, {}
        self._given.update((self.key(name), owner) for owner, own in names.items() for name in own)

    def forget(self, names: Iterable[bytes]) -> None:
        """Note that nobody owns these names any more."""
        for key in map(self.key, names):
            self._given.pop(key, None)
            self._given_before.pop(key, None)

    def _folder(self, folder: bytes) -> bytes:
        return self.key(folder + b"/").partition(b"\0")[0]


def _owners(ledgers: Iterable[SqliteLedger], folder: bytes) -> Iterator[tuple[bytes, bytes]]:
    for ledger in ledgers:
        with suppress(RunError):  # damaged, which the run reports
            yield from ledger.owners(folder + b"\0", folder + b"\1")
