"""The names that an image may write to: free names, its own, and those that ``--existing`` allows."""

from collections.abc import Callable, Iterable, Mapping

from pixmill.batch.item import Item
from pixmill.batch.worker.options import HandlerOptions
from pixmill.core.errors import ReadError, WriteError
from pixmill.engine.handler import Skip
from pixmill.storage.storage import Replacing, Storage, occupied

EXISTS = "exists"


class OutputNames:
    """The names of one image's outputs in ``destination``. ``source`` returns the device and inode of the source file."""

    def __init__(
        self, destination: Storage, options: HandlerOptions, item: Item, *, source: Callable[[], tuple[int, int] | None]
    ) -> None:
        """Store the parameters; nothing is read yet."""
        self._destination = destination
        self._options = options
        self._item = item
        self._source = source
        self._own = {output.name for output in item.former}

    def replacing(self, name: bytes) -> Replacing:
        """Return which existing files at ``name`` may be replaced."""
        return Replacing(
            own=name in self._own,
            others=self._options.existing == "replace",
            unrecorded=self._options.unrecorded if self._item.is_known else (),
            source=self._source,
        )

    def check_skip(self, names: Iterable[bytes]) -> None:
        """Raise ``Skip`` before any work is done, if ``--existing skip`` is set and a name is taken by a foreign file."""
        if self._options.existing == "skip" and not self._item.is_known:
            for name in names:
                if name not in self._own and self._destination.is_occupied(name):
                    raise Skip(EXISTS)

    def check(self, outputs: Mapping[bytes, bytes]) -> None:
        """Raise ``WriteError``, before any of several outputs is written, if one has the name of a foreign file.

        Stores are not checked: it would cost a request per output, and the next run reuses outputs written before the failure.
        """
        if len(outputs) == 1 or self._options.existing == "replace" or (self._item.is_known and self._options.unrecorded):
            return
        for name, data in outputs.items():
            if name not in self._own and self._destination.local_path(name) is not None and self._destination.is_occupied(name):
                self._compare(name, data)

    def translate_error(self, error: WriteError) -> Exception:
        """Return the exception to raise for ``error``: ``Skip`` if a name is taken and ``--existing skip`` is set."""
        return Skip(EXISTS) if error.code == EXISTS and self._options.existing == "skip" else error

    def _compare(self, name: bytes, data: bytes) -> None:
        try:
            is_same = self._destination.read(name, limit=len(data)) == data
        except ReadError:
            is_same = False
        if not is_same:
            raise occupied(name)
