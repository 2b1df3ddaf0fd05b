"""Whose the names of outputs are: an image keeps the name that it was given, and no other image gets it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TypeVar

import msgspec

from pixmill.batch.naming.reserved import name_key
from pixmill.batch.state.earlier_ledgers import EarlierLedgers
from pixmill.core.errors import RunError
from pixmill.engine.ledgers.sqlite import SqliteLedger

T = TypeVar("T")

NEAR = 20  # names for each stem that are read at once; a folder with more between its stems is read stem by stem
GENERATION = 10_000  # names; those of the last two generations may not be in the ledger yet


class _Given(msgspec.Struct, frozen=True):
    """Names that this run has given, by their keys, and who got them."""

    owners: dict[bytes, bytes] = {}
    givees: set[bytes] = set()


class NameOwners:
    """Looks up the owners of names in ``ledgers``. An owner is the key of a task.

    Names that this run has given and not recorded yet are remembered, since images that are named apart may want the same.
    ``folds``: the destination ignores the case of folders. ``key`` returns the key of a name.
    Memory: two generations of names, whatever the ledgers hold.
    """

    def __init__(self, ledgers: EarlierLedgers, *, folds: bool) -> None:
        """Store the parameters."""
        self._ledgers = ledgers
        self.key: Callable[[bytes], bytes] = partial(name_key, folds=True) if folds else name_key
        self._given = _Given()
        self._given_before = _Given()

    def of_keys(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the owner of each name with one of ``keys``, by its key, if it has one; the result may have other names, too."""
        keys = sorted(set(keys))
        owners: dict[bytes, bytes] = {}
        for found in self._asked(lambda ledger: ledger.owners_of(keys)):
            owners.update(found)
        for given in (self._given_before.owners, self._given.owners):
            if given:
                owners.update((key, given[key]) for key in keys if key in given)
        return owners

    def of_stems(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return an owner of names that are a stem with one of ``keys``, a dot, and an ending, by the key of the stem."""
        keys = sorted(set(keys))
        owners: dict[bytes, bytes] = {}
        for found in self._asked(lambda ledger: dict(_by_stem(ledger, keys))):
            owners.update(found)
        return owners

    def named(self, owners: Iterable[bytes]) -> set[bytes]:
        """Return those of ``owners`` that may own names: the ledgers have a record of them, or they were given names in this run.

        A name is recorded together with the task that owns it, so what has no record owns nothing.
        """
        keys = sorted(set(owners))
        found = set().union(*self._asked(lambda ledger: ledger.present(keys)))
        for given in (self._given_before.givees, self._given.givees):
            found.update(given.intersection(keys))
        return found

    def give(self, names: Mapping[bytes, Iterable[bytes]]) -> None:
        """Note that each owner gets these names. Call it after the tasks that got names before the last call have been taken."""
        if len(self._given.owners) > GENERATION:
            self._given_before, self._given = self._given, _Given()
        self._given.owners.update((self.key(name), owner) for owner, own in names.items() for name in own)
        self._given.givees.update(names)

    def forget(self, names: Iterable[bytes]) -> None:
        """Note that nobody owns these names any more."""
        for key in map(self.key, names):
            self._given.owners.pop(key, None)
            self._given_before.owners.pop(key, None)

    def _asked(self, look_up: Callable[[SqliteLedger], T]) -> list[T]:
        """Return what ``look_up`` returns for each ledger, except for those that are damaged, which the run reports."""
        answers = []
        with self._ledgers.lock:
            for ledger in self._ledgers.opened():
                with suppress(RunError):
                    answers.append(look_up(ledger))
        return answers


def _by_stem(ledger: SqliteLedger, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield those of the sorted ``keys`` that names in ``ledger`` begin with, and others, each with an owner."""
    if not keys:
        return
    limit = NEAR * len(keys)
    near = list(islice(ledger.owners(keys[0], keys[-1] + b"/"), limit))
    if len(near) == limit:
        near = [pair for key in keys for pair in ledger.owners(key + b".", key + b"/")]
    for name, owner in near:
        folder, nul, file = name.partition(b"\0")
        yield folder + nul + file.partition(b".")[0], owner
