"""Which names an image may write to: free ones, its own, and what ``--existing`` allows."""

from collections.abc import Callable, Iterable, Mapping

from pixmill.batch.item import Item
from pixmill.batch.worker.options import HandlerOptions
from pixmill.core.errors import ReadError, WriteError
from pixmill.engine.handler import Skip
from pixmill.storage.storage import Replacing, Storage, occupied

EXISTS = "exists"


class OutputNames:
    """The names of one image's outputs in ``destination``. ``source`` returns the identity of the file that it is read from."""

    def __init__(
        self, destination: Storage, options: HandlerOptions, item: Item, *, source: Callable[[], tuple[int, int] | None]
    ) -> None:
        """Look at nothing yet."""
        self._destination = destination
        self._options = options
        self._item = item
        self._source = source
        self._own = {output.name for output in item.former}

    def replacing(self, name: bytes) -> Replacing:
        """Return what may be replaced at ``name``."""
        return Replacing(
            own=name in self._own,
            others=self._options.existing == "replace",
            unrecorded=self._options.unrecorded if self._item.is_known else (),
            source=self._source,
        )

    def check_before(self, names: Iterable[bytes]) -> None:
        """Leave the image alone, before anything is done, where ``--existing skip`` asks for it and a name is another's."""
        if self._options.existing == "skip" and not self._item.is_known:
            for name in names:
                if name not in self._own and self._destination.is_occupied(name):
                    raise Skip(EXISTS)

    def check(self, outputs: Mapping[bytes, bytes]) -> None:
        """Raise ``WriteError`` before any of several outputs is written, where one has the name of another's file.

        A store is not asked: it would cost a request an output, and what was written is found to be right the next time.
        """
        if len(outputs) == 1 or self._options.existing == "replace" or (self._item.is_known and self._options.unrecorded):
            return
        for name, data in outputs.items():
            if name not in self._own and self._destination.local_path(name) is not None and self._destination.is_occupied(name):
                self._compare(name, data)

    def judge(self, error: WriteError) -> Exception:
        """Return what ``error`` means for the image: that it is skipped, where that was asked for and a name is another's."""
        return Skip(EXISTS) if error.code == EXISTS and self._options.existing == "skip" else error

    def _compare(self, name: bytes, data: bytes) -> None:
        try:
            is_same = self._destination.read(name, limit=len(data)) == data
        except ReadError:
            is_same = False
        if not is_same:
            raise occupied(name)
