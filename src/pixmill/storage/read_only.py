"""``ReadOnly``: the base of the schemes that can only be read."""

from abc import abstractmethod
from collections.abc import Callable, Container

from pixmill.core.errors import RunError
from pixmill.storage.entry import FileVersion
from pixmill.storage.storage import FREE_NAME, Replacing, Scheme, no_op


class ReadOnly(Scheme):
    """A storage that refuses every write with the error from ``read_only_error``."""

    @abstractmethod
    def read_only_error(self, path: bytes) -> RunError:
        """Return the error for writing to ``path``, with code ``read-only``; ``AddressError`` if ``path`` is not valid."""

    def write(
        self,
        path: bytes,
        data: bytes,  # noqa: ARG002  # never written
        *,
        durable: bool,  # noqa: ARG002  # the same
        mtime_ns: int | None = None,  # noqa: ARG002  # the same
        on_sync: Callable[[], None] = no_op,  # noqa: ARG002  # the same
        replacing: Replacing = FREE_NAME,  # noqa: ARG002  # the same
    ) -> FileVersion:
        """Raise the error from ``read_only_error``."""
        raise self.read_only_error(path)

    def delete(self, path: bytes) -> None:
        """Raise the error from ``read_only_error``."""
        raise self.read_only_error(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:  # noqa: ARG002  # nothing is ever written
        """Return 0: nothing is ever written here."""
        return 0
