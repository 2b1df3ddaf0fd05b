"""Give the outputs of images their late names, once workers have read what these are made of."""

from collections.abc import Sequence

import msgspec

from pixmill.batch.item import Item, NameFacts, from_payload, with_item
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.planning.plan import Plan
from pixmill.batch.worker.late_facts import facts_of
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import Task


class LateNames:
    """Names tasks so that no two share a name in the whole output, and claims the names in ``ledger`` before they are used.

    An image keeps the name that it had, unless ``keeps_names`` is false: then what has the same path is another image.
    """

    def __init__(self, plan: Plan, ledger: Ledger, *, keeps_names: bool) -> None:
        """Read nothing yet."""
        self._plan = plan
        self._namer = plan.late_namer()
        self._ledger = ledger
        self._keeps_names = keeps_names

    def __call__(self, found: Sequence[tuple[Task, bytes]]) -> list[Task]:
        """Return the tasks, each with names made of what a worker found; ``ConfigError`` if a collision is refused."""
        claims: dict[bytes, bytes] = {}
        tasks = [with_item(task, self._named(from_payload(task.payload), task.key, finding, claims)) for task, finding in found]
        self._ledger.claim(claims.items())
        return tasks

    def _named(self, item: Item, key: bytes, finding: bytes, claims: dict[bytes, bytes]) -> Item:
        facts = facts_of(finding)
        former = frozenset() if self._keeps_names else frozenset(self._key(output.name) for output in item.former)

        def is_free(name: bytes) -> bool:
            own = self._key(name)
            return own not in former and (claims.get(own) or self._owner(own) or key) == key

        names, number = self._namer.choose(
            item.entry.path,
            facts.values,
            facts.extensions,
            is_free=is_free,
            recorded=item.facts.number if item.facts and item.facts.template == item.template else 0,
        )
        if message := self._plan.reserved_error(names):
            return msgspec.structs.replace(item, source_error=message, is_reserved=True)
        claims.update((self._key(name), key) for name in names)
        return msgspec.structs.replace(item, names=names, facts=NameFacts(facts.values, number, item.template))

    def _owner(self, key: bytes) -> bytes | None:
        return next((owner for _, owner in self._ledger.owners(key, key + b"\0")), None)

    def _key(self, name: bytes) -> bytes:
        return name_key(name, folds=self._plan.folds)
