"""The names of outputs as the ledger notes them, so that each belongs to one image for ever."""

from collections.abc import Iterable, Iterator

from pixmill.batch.item import from_payload, unpack
from pixmill.batch.naming.reserved import name_key
from pixmill.engine.ledger import Claims
from pixmill.engine.task import Task


class OutputClaims(Claims):
    """The names of an image's outputs. ``folds``: the destination ignores the case of folders."""

    def __init__(self, *, folds: bool) -> None:
        """Store the parameter."""
        self._folds = folds

    def of_task(self, task: Task) -> Iterable[bytes]:
        """Return the keys of the names that ``task`` will write."""
        return self._keys(from_payload(task.payload).names)

    def of_result(self, result: bytes) -> Iterable[bytes]:
        """Return the keys of the names in ``result``, of this recipe and earlier ones."""
        return self._keys(output.name for output in unpack(result).recorded_outputs)

    def _keys(self, names: Iterable[bytes]) -> Iterator[bytes]:
        return (name_key(name, folds=self._folds) for name in names)
