"""A folder, walked below its root; or one file."""

from collections.abc import Callable, Iterator

from pixmill.batch.source import Refused
from pixmill.core.errors import AddressError
from pixmill.core.text import printable
from pixmill.storage.storage import Entry, Storage


class Directory:
    """The files below the root of ``storage``, or the one called ``only``.

    Hidden folders are not entered; nor is one for which ``is_ours`` is true: an output or state folder inside the input.
    """

    def __init__(self, storage: Storage, *, only: bytes = b"", is_ours: Callable[[bytes], bool] = lambda path: False) -> None:  # noqa: ARG005  # the shape of is_ours
        """Take the storage to walk; nothing is read yet."""
        self.storage = storage
        self._only = only
        self._is_ours = is_ours

    def folders(self, refused: Refused) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder, sorted."""
        if not self._only:
            yield from self.storage.list(descend=self.enters, on_error=refused)
            return
        entry = self.storage.stat(self._only)
        if entry is None:
            raise AddressError(f"{printable(self._only)} is not there, or not a regular file")
        yield [entry]

    def enters(self, path: bytes) -> bool:
        """Tell whether the folder ``path`` is looked into."""
        return not path.rpartition(b"/")[2].startswith(b".") and not self._is_ours(path)
