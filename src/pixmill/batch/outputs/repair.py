"""``Repair``: the images whose outputs are missing or were changed, and which a run makes again."""

from collections.abc import Iterable, Iterator

from pixmill.engine.task import Task


class Repair:
    """The images with ``keys``. ``gone`` are those that the source has not contained so far."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """Find none yet."""
        self._keys = frozenset(keys)
        self.gone = set(self._keys)

    def select(self, tasks: Iterable[Task], *, is_whole: bool) -> Iterator[Task]:
        """Yield those of ``tasks`` that are to be repaired; all if it ``is_whole``, as a dataset is: its shards have several."""
        for task in tasks:
            if is_whole or task.key in self._keys:
                self.gone.discard(task.key)
                yield task
