"""Removes the outputs of removed images, if this is enabled."""

from collections.abc import Callable, Iterable, Iterator

from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.planning.plan import Plan
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import State
from pixmill.storage.open import open_storage


class DeletionMirror:
    """Removes only outputs recorded in the ledger: files that pixmill did not write are never removed."""

    def __init__(self, plan: Plan, ledger: Ledger, on_removed: Callable[[bytes], None]) -> None:
        """Call ``on_removed`` for each removed output."""
        self._plan = plan
        self._ledger = ledger
        self._destination = open_storage(plan.locations.destination)
        self._on_removed = on_removed

    def remove(self, paths: Iterable[bytes]) -> None:
        """Remove the outputs of the images ``paths``, their records, and their claims to names."""
        records = self._ledger.delete(map(self._plan.key, paths))
        outputs = [output for record in records for output in _outputs(record)]
        for name in sorted({output.name for output in outputs}):
            self._destination.delete(name)
            self._on_removed(name)
        self._plan.disown(self._ledger, [output.name for output in outputs])

    def missing(self, is_there: Callable[[bytes], bool], *, below: bytes = b"") -> Iterator[bytes]:
        """Yield the paths of the finished images that no longer exist, all or those in the folder ``below``."""
        keys, own = self._plan.source_keys, self._plan.key(b"")
        prefix = own + below + b"/" if below else own
        for record in self._ledger.records(State.DONE):
            if record.key.startswith(prefix) and keys.prefix(record.key) == own and not is_there(keys.path(record.key)):
                yield keys.path(record.key)


def _outputs(record: Record) -> tuple[OutputRecord, ...]:
    return unpack(record.result).outputs if record.state is State.DONE else ()
