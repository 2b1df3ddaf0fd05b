"""Removes the outputs of removed images, if this is enabled."""

from collections.abc import Callable, Collection, Iterable, Iterator

from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.outputs.reuse import recorded_outputs
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import State
from pixmill.storage.storage import Storage


class DeletionMirror:
    """Removes only outputs recorded in the ledger: files that pixmill did not write are never removed."""

    def __init__(self, ledger: Ledger, destination: Storage, on_removed: Callable[[bytes], None]) -> None:
        """Call ``on_removed`` for each removed output."""
        self._ledger = ledger
        self._destination = destination
        self._on_removed = on_removed
        self._stale: dict[bytes, set[bytes]] = {}

    def remove(self, keys: Iterable[bytes], *, still_used: Collection[bytes]) -> list[OutputRecord]:
        """Delete the records of the images ``keys`` and their outputs, except for names in ``still_used``, which others have taken.

        Return the outputs that are still used.
        """
        records = self._ledger.delete(keys)
        for record in records:
            self._remove(_outputs(record) - set(still_used))
        return [output for record in records for output in recorded_outputs(record) if output.name in still_used]

    def rename(self, key: bytes) -> list[OutputRecord]:
        """Delete the record of the image ``key``, whose outputs get new names; the old outputs stay until the new ones exist.

        Return the old outputs.
        """
        records = self._ledger.delete([key])
        for record in records:
            self._stale.setdefault(key, set()).update(_outputs(record))
        return [output for record in records for output in recorded_outputs(record)]

    def finished(self, key: bytes, *, still_used: Collection[bytes]) -> None:
        """Remove the old outputs of an image that has new ones, except for the names in ``still_used``."""
        self._remove(self._stale.pop(key, set()) - set(still_used))

    def is_renaming(self, key: bytes) -> bool:
        """Return whether ``finished`` has old outputs to remove for ``key``."""
        return key in self._stale

    def missing(self, is_there: Callable[[bytes], bool], *, below: bytes = b"") -> Iterator[bytes]:
        """Yield the finished images that no longer exist, all or those in the folder ``below``."""
        prefix = below + b"/" if below else b""
        for record in self._ledger.records(State.DONE):
            if record.key.startswith(prefix) and not is_there(record.key):
                yield record.key

    def _remove(self, names: set[bytes]) -> None:
        for name in sorted(names):
            self._destination.delete(name)
            self._on_removed(name)


def _outputs(record: Record) -> set[bytes]:
    return {output.name for output in unpack(record.result).outputs} if record.state is State.DONE else set()
