"""``ReadOnly``: the base of the schemes that can only be read; ``NotListed``: of those whose names somebody else knows."""

from abc import abstractmethod
from collections.abc import Callable, Container, Iterator

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.storage.entry import FileVersion, Listing
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


class NotListed(ReadOnly):
    """A storage that reads only what a source names, and refuses every listing with the error from ``unlisted_error``."""

    @abstractmethod
    def unlisted_error(self, under: bytes) -> AddressError:
        """Return the error for a listing of the folder ``under``, empty for the root."""

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,  # noqa: ARG002  # nothing can be listed
        on_error: Callable[[bytes, ReadError], None] | None = None,  # noqa: ARG002  # the same
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # the same
    ) -> Iterator[Listing]:
        """Raise the error from ``unlisted_error``."""
        raise self.unlisted_error(under)
