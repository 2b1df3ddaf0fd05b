"""``ReadOnly``: what the schemes have in common that are only read."""

from abc import abstractmethod
from collections.abc import Callable, Container

from pixmill.core.errors import RunError
from pixmill.storage.storage import FREE_NAME, Replacing, Scheme, no_op


class ReadOnly(Scheme):
    """A storage that refuses to be written to, with the sentence that ``refusal`` has for it."""

    @abstractmethod
    def read_only_error(self, path: bytes) -> RunError:
        """Return why ``path`` is not written, as an error with code ``read-only``; ``AddressError`` when it is no path."""

    def write(
        self,
        path: bytes,
        data: bytes,  # noqa: ARG002  # it is not written
        *,
        durable: bool,  # noqa: ARG002  # the same
        mtime_ns: int | None = None,  # noqa: ARG002  # the same
        syncing: Callable[[], None] = no_op,  # noqa: ARG002  # the same
        replacing: Replacing = FREE_NAME,  # noqa: ARG002  # the same
    ) -> None:
        """Refuse to."""
        raise self.read_only_error(path)

    def delete(self, path: bytes) -> None:
        """Refuse to."""
        raise self.read_only_error(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:  # noqa: ARG002  # nothing is ever written
        """Return 0: nothing is ever written here."""
        return 0
