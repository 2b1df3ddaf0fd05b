"""The contract of every storage scheme: read, atomic write, stat, list."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Protocol

import msgspec


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A regular file or an object. ``path`` is relative to the storage's root, ``/``-separated bytes.

    ``version`` changes when the content may have changed: modification time in nanoseconds, an ETag.
    """

    path: bytes
    size: int
    version: bytes


class Storage(Protocol):
    """A tree of named byte strings under one root. Paths are ``/``-separated bytes, relative, never with ``..``.

    Errors: ``ReadError`` and ``WriteError`` (``retryable`` tells whether the same call may succeed later; retrying itself is
    the decorator's business), and ``RunError`` when the storage as a whole is unusable (full, read-only).
    """

    scheme: ClassVar[str]

    def stat(self, path: bytes) -> Entry | None:
        """Return what is there, or ``None``. Follows no symbolic link unless the storage was opened to."""

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content; ``ReadError`` with code ``limit-bytes`` when it is larger than ``limit`` bytes.

        Anything but a regular file is refused, without blocking.
        """

    def write(self, path: bytes, data: bytes, *, durable: bool) -> None:
        """Put ``data`` under ``path``, whole or not at all, making parent directories.

        With ``durable``, content and name survive a power cut once the call returns.
        """

    def delete(self, path: bytes) -> None:
        """Remove ``path``; nothing happens when it is not there."""

    def list(self, under: bytes = b"", *, descend: Callable[[bytes], bool] | None = None) -> Iterator[list[Entry]]:
        """Yield the entries below ``under`` one directory at a time, each sorted by name, directories in sorted order.

        ``descend`` says which directories to enter (all by default). Directories that cannot be read raise when reached.
        """

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of ``path`` where it has one, so that a decoder may stream it; else ``None``."""
