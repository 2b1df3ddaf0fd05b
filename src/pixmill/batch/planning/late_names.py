"""Give the outputs of images their late names, once workers have read what these are made of."""

from collections.abc import Sequence

import msgspec

from pixmill.batch.item import Item, NameFacts, from_payload, with_item
from pixmill.batch.naming.reserved import name_key
from pixmill.batch.planning.plan import Plan
from pixmill.batch.worker.late_facts import DATE, facts_of
from pixmill.engine.ledger import Ledger
from pixmill.engine.task import Task
from pixmill.imaging.geometry.sizes import Size

SOURCE = "source"


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
        named = {
            task.key: with_item(task, self._named(from_payload(task.payload), task.key, finding, claims))
            for task, finding in sorted(found, key=lambda each: each[0].key)
        }
        self._ledger.claim(claims.items())
        return [named[task.key] for task, _ in found]

    def _named(self, item: Item, key: bytes, finding: bytes, claims: dict[bytes, bytes]) -> Item:
        facts, values = facts_of(finding), self._values(item, finding)
        former = frozenset() if self._keeps_names else frozenset(self._key(output.name) for output in item.former)

        def is_free(name: bytes) -> bool:
            own = self._key(name)
            return own not in former and (claims.get(own) or self._owner(own) or key) == key

        names, number = self._namer.choose(
            item.entry.path,
            [{**values, **_sides(size)} for size in facts.sizes] if facts.sizes else [values] * len(facts.extensions),
            facts.extensions,
            is_free=is_free,
            is_new=not item.is_known,
            recorded=item.facts.number if item.facts and item.facts.template == item.template else 0,
        )
        if message := self._plan.reserved.error(names):
            return msgspec.structs.replace(item, source_error=message, is_reserved=True)
        claims.update((self._key(name), key) for name in names)
        return msgspec.structs.replace(item, names=names, facts=NameFacts(values, number, item.template))

    def _values(self, item: Item, finding: bytes) -> dict[str, str]:
        """Return what a worker found and what only the coordinator knows, all of which stays with the image."""
        values = facts_of(finding).values
        if DATE in values:
            values = {**values, DATE: self._plan.config.placement.timezone.local(values[DATE])}
        return {SOURCE: self._plan.source_name(item), **values} if SOURCE in self._namer.template.late_fields else values

    def _owner(self, key: bytes) -> bytes | None:
        return next((owner for _, owner in self._ledger.owners(key, key + b"\0")), None)

    def _key(self, name: bytes) -> bytes:
        return name_key(name, folds=self._plan.folds)


def _sides(size: Size) -> dict[str, str]:
    return {"width": str(size[0]), "height": str(size[1])}
