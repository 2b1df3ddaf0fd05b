"""Removes the outputs of images that were removed, where it was asked for."""

from collections.abc import Callable, Collection, Iterable, Iterator

from pixmill.batch.item import OutputRecord, unpack
from pixmill.batch.outputs.reuse import recorded_outputs
from pixmill.engine.ledger import Ledger, Record
from pixmill.engine.task import State
from pixmill.storage.storage import Storage


class DeletionMirror:
    """Removes outputs by the ledger's word alone: what pixmill did not write, it does not remove."""

    def __init__(self, ledger: Ledger, destination: Storage, removed: Callable[[bytes], None]) -> None:
        """Tell ``removed`` of each output that is gone."""
        self._ledger = ledger
        self._destination = destination
        self._removed = removed
        self._stale: dict[bytes, set[bytes]] = {}

    def forget(self, keys: Iterable[bytes], *, spared: Collection[bytes]) -> list[OutputRecord]:
        """Remove what is known of the images ``keys``, and their outputs; ``spared`` are names that others have by now.

        Return the outputs that were spared.
        """
        records = self._ledger.delete(keys)
        for record in records:
            self._remove(_outputs(record) - set(spared))
        return [output for record in records for output in recorded_outputs(record) if output.name in spared]

    def rename(self, key: bytes) -> list[OutputRecord]:
        """Make the image ``key`` new, since its outputs get other names; the old ones stay until the new ones are there.

        Return the old ones.
        """
        records = self._ledger.delete([key])
        for record in records:
            self._stale.setdefault(key, set()).update(_outputs(record))
        return [output for record in records for output in recorded_outputs(record)]

    def finished(self, key: bytes, *, spared: Collection[bytes]) -> None:
        """Remove the former outputs of an image that has new ones, but for the names that are ``spared``."""
        self._remove(self._stale.pop(key, set()) - set(spared))

    def is_renaming(self, key: bytes) -> bool:
        """Tell whether ``finished`` has something to do for ``key``."""
        return key in self._stale

    def missing(self, is_there: Callable[[bytes], bool], *, below: bytes = b"") -> Iterator[bytes]:
        """Yield the finished images, all or those in the folder ``below``, that are not there any more."""
        prefix = below + b"/" if below else b""
        for record in self._ledger.records(State.DONE):
            if record.key.startswith(prefix) and not is_there(record.key):
                yield record.key

    def _remove(self, names: set[bytes]) -> None:
        for name in sorted(names):
            self._destination.delete(name)
            self._removed(name)


def _outputs(record: Record) -> set[bytes]:
    return {output.name for output in unpack(record.result).outputs} if record.state is State.DONE else set()
