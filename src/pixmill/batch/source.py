"""The contract of every source: it yields the inputs of a run."""

from collections.abc import Callable, Iterator
from typing import Protocol

from pixmill.core.errors import ImageError
from pixmill.storage.storage import Entry, Storage

Refused = Callable[[bytes, ImageError], None]


class Source(Protocol):
    """Yields what could be input, as a stream, in an order that does not change between runs."""

    storage: Storage

    def folders(self, refused: Refused) -> Iterator[list[Entry]]:
        """Yield the entries folder by folder: the entries of one folder at once, sorted, since their names may collide.

        A folder that cannot be read is given to ``refused`` with its path, and the rest goes on.
        """
