"""The contract of every storage scheme: read, atomic write, stat, list."""

from collections.abc import Callable, Container, Iterator
from typing import Protocol, Self, runtime_checkable

import msgspec

from pixmill.core.errors import ReadError, WriteError
from pixmill.core.phases import Phases
from pixmill.core.text import printable
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, Listing, changed


def no_op() -> None:
    """Do nothing: nobody asked to hear of it."""


def no_source() -> tuple[int, int] | None:
    """Return ``None``: no file has to be spared."""
    return None


class Replacing(msgspec.Struct, frozen=True, kw_only=True):
    """What ``write`` may replace. By default nothing.

    ``own``: whatever is there, since the caller has written it. ``others``: also what the caller has not written.
    ``unrecorded``: spans of time in nanoseconds since the epoch; a file of this machine that came there within one of them is
    the caller's, who was stopped before it could note so. ``source`` returns device and inode of a file that is never replaced.
    """

    own: bool = False
    others: bool = False
    unrecorded: tuple[tuple[int, int], ...] = ()
    source: Callable[[], tuple[int, int] | None] = no_source


FREE_NAME = Replacing()


def occupied(path: bytes) -> WriteError:
    """Return the error for a name at which something is that may not be replaced."""
    message = f"{printable(path)} is in the destination already, and pixmill has not written it"
    hint = "move it away, then: pixmill retry DST; or add --existing replace (or skip) to the same command"
    return WriteError(message, code="exists", hint=hint)


class Storage(Protocol):
    """A tree of named byte strings under one root.

    Paths are ``/``-separated bytes, relative, without ``.``, ``..``, empty parts and NUL: anything else is an
    ``AddressError``. Other errors: ``ReadError`` and ``WriteError`` (``retryable`` tells whether the same call may succeed
    later; retrying itself is the decorator's business), and ``RunError`` when the storage as a whole is unusable: code
    ``disk-full``, ``read-only`` or ``not-writable``. Where a listing gave an entry a place, ``stat``, ``read``, ``head`` and
    ``local_path`` take that too; what is there now and was not when it was listed is a ``ReadError``.
    """

    def stat(self, path: bytes) -> Entry | None:
        """Return what is there, or ``None`` for nothing and for anything but a regular file.

        Follows no symbolic link unless the storage was opened to.
        """

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content; ``ReadError`` with code ``limit-bytes`` when it is larger than ``limit`` bytes.

        Anything but a regular file is refused, without blocking. A file that changes meanwhile is a retryable error.
        """

    def read_version(self, entry: Entry, *, limit: int) -> bytes:
        """Return the whole content of ``entry``; ``ReadError`` with code ``changed`` when it is not that any more.

        Else what ``read`` does. A scheme that can ask for a version does this in one request.
        """
        data = self.read(entry.path, limit=limit)
        if self.stat(entry.path) != entry:
            raise changed(entry.path)
        return data

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first ``size`` bytes, fewer when there are fewer; refuses what ``read`` refuses."""

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        syncing: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> None:
        """Put ``data`` under ``path``, whole or not at all, making parent directories.

        What is there already and may not be replaced (``replacing``) is a ``WriteError`` with code ``exists``; if it holds the
        very same bytes, it stays and counts as written.

        With ``durable``, content and name survive a power cut once the call returns. ``mtime_ns`` becomes the modification
        time where the scheme keeps one that can be set. ``syncing`` is called, if at all, when the bytes have been handed over
        and what is left is to wait until they are safe.
        """

    def write_phases(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        syncing: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> Phases:
        """Do what ``write`` does in steps, and yield between them.

        Take several files through their steps in turn, and what each would wait for, they wait for together: here nothing,
        with files of this machine the commits of the file system.
        """
        self.write(path, data, durable=durable, mtime_ns=mtime_ns, syncing=syncing, replacing=replacing)
        yield from ()

    def is_occupied(self, path: bytes) -> bool:
        """Tell whether anything is at ``path``, a link or a folder too; where that cannot be told, there may be."""
        return self.stat(path) is not None

    def file_of(self, path: bytes) -> bytes | None:
        """Return the file of this machine that holds the content of ``path``: itself, or its archive; ``None`` for none."""
        return self.local_path(path)

    def delete(self, path: bytes) -> None:
        """Remove ``path``; nothing happens when it is not there."""

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the entries below ``under`` one directory at a time, each sorted by name, directories in sorted order.

        A directory comes before those in it; empty ones are left out, and so are the temporaries of ``write``. ``descend``
        says which directories to enter (all by default), and is asked about those in a directory before the entries beside
        them are yielded. ``on_error`` is told of each directory, link or file that cannot be looked at, and the rest goes on;
        without it the error is raised when it is reached. ``on_link`` is told of each symbolic link before the entries beside it
        are yielded, whether it is followed or left out. Memory: one directory's entries and the way to it.
        """

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of ``path`` where it has one, so that a decoder may stream it; else ``None``."""

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:
        """Remove what dead writers with these ``tags`` left unfinished (``None``: with any), and nothing else; return how many.

        Whoever calls knows that these writers are dead.
        """


@runtime_checkable
class Scheme(Storage, Protocol):
    """A storage that an address can open: one module of ``pixmill.storage.schemes``, which gives the scheme its name."""

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:
        """Return the storage at ``address``; ``AddressError`` when the address makes no sense in this scheme.

        Nothing need be there yet. ``tag`` (up to 32 letters and digits) marks the temporaries of ``write`` for ``sweep``.
        """
