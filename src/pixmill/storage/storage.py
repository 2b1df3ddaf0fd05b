"""The contract of every storage scheme: read, atomic write, stat, list."""

from collections.abc import Callable, Container, Iterator
from hashlib import blake2b
from typing import Protocol, Self, TypeVar, runtime_checkable

import msgspec

from pixmill.core.errors import ReadError, WriteError
from pixmill.core.phases import Phases
from pixmill.core.remedy import rounded_up
from pixmill.core.text import printable
from pixmill.core.units import ByteSize
from pixmill.storage.address import Address
from pixmill.storage.entry import Entry, FileVersion, Listing, changed, time_of

T = TypeVar("T")

DIGEST_SIZE = 16  # bytes of a BLAKE2b digest

UNKNOWN_SIZE_FACTOR = 4  # by which the hint raises the limit when a server does not say how large a file is


def no_op() -> None:
    """Do nothing: the default callback."""


def no_source() -> tuple[int, int] | None:
    """Return ``None``: there is no source file to protect."""
    return None


def content_digest(data: bytes) -> bytes:
    """Return the 16-byte BLAKE2b digest of ``data``."""
    return blake2b(data, digest_size=DIGEST_SIZE).digest()


class ListingPolicy(Protocol):
    """How the requests of a listing are retried. ``idles``: while one takes long, the listing is empty instead of blocking.

    ``reuses``: what was listed within the last minute need not be listed again.
    """

    idles: bool
    reuses: bool

    def call(self, request: Callable[[], T]) -> T:
        """Return the result of ``request``, retrying it as needed; raise its last error."""


class WrittenFile(msgspec.Struct, frozen=True):
    """A file as the caller wrote it: its ``version``, perhaps only the size of it, and the BLAKE2b ``digest`` of the content."""

    version: FileVersion
    digest: bytes


class Replacing(msgspec.Struct, frozen=True, kw_only=True):
    """The existing files that ``write`` may replace; by default none.

    ``own``: what the caller wrote at the path. A file there may be replaced while it has the version or the content of one of
    these, or is empty. ``others``: any other file.
    ``unrecorded``: time spans in nanoseconds since the epoch; a local file that appeared within one of them was written by the
    caller, which was stopped before it could record the write. ``source`` returns device and inode of a file that is never
    replaced. ``is_conditional``: the store honours conditional requests; otherwise the path is checked before each write.
    """

    own: tuple[WrittenFile, ...] = ()
    others: bool = False
    unrecorded: tuple[tuple[int, int], ...] = ()
    source: Callable[[], tuple[int, int] | None] = no_source
    is_conditional: bool = True


FREE_NAME = Replacing()


def occupied(path: bytes, occupant: FileVersion, *, own: tuple[WrittenFile, ...] = (), replaceable: bool = True) -> WriteError:
    """Return the error for a path whose file, ``occupant``, may not be replaced; ``own`` is what the caller wrote there.

    ``replaceable`` means that an option allows it.
    """
    reason = "was changed since pixmill wrote it" if own else "already exists in the destination, and pixmill did not write it"
    message, evidence = f"{printable(path)} {reason}", occupant.evidence()
    hint = "move it away, then: pixmill retry DST"
    if not replaceable:
        return WriteError(message, code="exists", hint=hint, evidence=evidence)
    return WriteError(message, code="exists", hint=f"{hint}; or, to replace it", options={"existing": "replace"}, evidence=evidence)


def too_large(name: bytes | str, size: int | None, limit: int) -> ReadError:
    """Return the error for a source of ``size`` bytes (``None``: not known exactly) where at most ``limit`` bytes are allowed."""
    excess = f"more than the limit of {limit} bytes" if size is None else f"{size} bytes, more than the limit of {limit}"
    needed = ByteSize(rounded_up(size or limit * UNKNOWN_SIZE_FACTOR))
    return ReadError(f"{printable(name)} has {excess}", code="limit-bytes", options={"max_source_bytes": str(needed)})


def covers_all(path: bytes) -> bool:
    """Return true: a whole folder has been listed."""
    del path
    return True


class FolderPart(msgspec.Struct, frozen=True):
    """Some ``entries``: all paths in a folder, or with ``spans_folders`` in any, that it ``covers`` and that are files.

    ``covers`` tells whether a path would be here if there were such a file.
    """

    entries: Listing
    covers: Callable[[bytes], bool] = covers_all
    spans_folders: bool = False


class Storage(Protocol):
    """A tree of named byte strings under one root.

    Paths are ``/``-separated bytes, relative, without ``.``, ``..``, empty parts and NUL; any other path raises
    ``AddressError``. Other errors: ``ReadError`` and ``WriteError`` (``retryable`` tells whether the same call may succeed
    later; retrying is left to a decorator), and ``RunError`` if the storage as a whole is unusable, with code
    ``disk-full``, ``read-only`` or ``not-writable``. ``stat``, ``read``, ``head`` and ``local_path`` also accept the locator
    of a listed entry; they raise ``ReadError`` if something else is there now.
    """

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry at ``path``, or ``None`` if there is nothing or something other than a regular file.

        Follows symbolic links only if the storage was opened to do so.
        """

    def version_of(self, path: bytes) -> FileVersion | None:
        """Return the version of what is at ``path``, be it a file, a folder or a link, or ``None`` if there is nothing."""
        entry = self.stat(path)
        return FileVersion(entry.size, etag=entry.version) if entry else None

    def modified_ns(self, path: bytes) -> int | None:
        """Return when the file at ``path`` was last modified, in nanoseconds since the epoch, or ``None`` if that is not known."""
        entry = self.stat(path)
        return time_of(entry.version) if entry is not None else None

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content; ``ReadError`` with code ``limit-bytes`` if it is larger than ``limit`` bytes.

        Anything but a regular file is refused, without blocking. A file that changes during the read is a retryable error.
        """

    def read_version(self, entry: Entry, *, limit: int) -> bytes:
        """Return the complete content of ``entry``; ``ReadError`` with code ``changed`` if it is no longer that version.

        Otherwise the same as ``read``. A scheme that can request a version does this in one request.
        """
        data = self.read(entry.path, limit=limit)
        if self.stat(entry.path) != entry:
            raise changed(entry.path)
        return data

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first ``size`` bytes, or all if there are fewer; refuses what ``read`` refuses."""

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> FileVersion:
        """Write ``data`` to ``path`` atomically, creating parent directories; return the version of the written file.

        An existing file that may not be replaced (``replacing``) raises ``WriteError`` with code ``exists``; if it contains
        exactly these bytes, it stays and counts as written.

        With ``durable``, content and name survive a power failure once the call returns. ``mtime_ns`` becomes the modification
        time if the scheme has one that can be set. ``on_sync`` is called, if at all, when all bytes have been handed over and
        only their durability remains to be waited for.
        """

    def write_phases(
        self,
        path: bytes,
        data: bytes | memoryview,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> Phases[FileVersion]:
        """Do the same as ``write`` in phases, and yield between them.

        Several writes that run phase by phase share their waits: for local files, those for the file system's commits; here,
        by default, none.
        """
        yield from ()
        return self.write(path, bytes(data), durable=durable, mtime_ns=mtime_ns, on_sync=on_sync, replacing=replacing)

    def is_occupied(self, path: bytes) -> bool:
        """Tell whether anything exists at ``path``, including a link or a folder; true if that cannot be determined."""
        return self.stat(path) is not None

    def file_of(self, path: bytes) -> bytes | None:
        """Return the local file that contains ``path``: the file itself, or its archive; ``None`` if there is none."""
        return self.local_path(path)

    def delete(self, path: bytes) -> None:
        """Remove ``path``; do nothing if it does not exist."""

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the entries below ``under`` one directory at a time, each sorted by name, directories in sorted order.

        A directory comes before its subdirectories; empty directories and the temporaries of ``write`` are omitted. ``descend``
        decides which directories to enter (default: all), and is called for those in a directory before the entries beside
        them are yielded. ``on_error`` is called for each directory, link or file that cannot be examined, and the listing
        continues; without it the error is raised when it is reached. ``on_link`` is called for each symbolic link before the
        entries beside it are yielded, whether it is followed or omitted. Memory: the entries of one directory, and the
        directories still to be entered on the path to it.
        """

    def list_parts(
        self,
        group: Callable[[bytes], bytes],
        *,
        folders_first: bool = True,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Do the same as ``list``, but yield a directory with many entries in several parts, if the storage can.

        ``group`` returns the group of a name, which is the beginning of the name without case and in NFC: names in one group are in
        one part. The parts of a directory come in an order that stays; its subdirectories may come before them and between them,
        but no other directories. Without ``folders_first``, ``descend`` may be called for a subfolder after parts have been
        yielded, but before those with a group that its name begins with. Memory: some ten thousand entries of each directory on
        the path to the current one, whatever their number.
        """
        del group, folders_first
        return self.list(descend=descend, on_error=on_error, on_link=on_link)

    def list_wanted(
        self,
        under: bytes,
        wants: Callable[[bytes], bool],
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Do the same as ``list``, but only with files and directories whose names it ``wants``; no others are examined."""

        def is_entered(path: bytes) -> bool:
            return wants(path.rpartition(b"/")[2]) and (descend is None or descend(path))

        for listing in self.list(under, descend=is_entered, on_error=on_error, on_link=on_link):
            wanted = [entry for entry in listing if wants(entry.path.rpartition(b"/")[2])]
            if wanted:
                yield wanted

    def list_from(self, path: bytes) -> FolderPart | None:
        """Return entries that cover ``path``, with few requests; ``None`` if the storage cannot do that."""
        del path
        return None

    def between(self, first: str, last: str) -> "Storage | None":
        """Return the same storage, of which ``list_parts`` yields only keys from ``first`` on and before ``last``, if not empty.

        ``None`` if the storage has no keys that can be listed from one to another.
        """
        del first, last
        return None

    def retry_listings(self, policy: ListingPolicy) -> None:
        """Retry each request of a listing by ``policy``; do nothing in a storage that lists without requests."""
        del policy

    def local_path(self, path: bytes) -> bytes | None:
        """Return the file-system path of ``path`` if it has one, so that a decoder can stream it; else ``None``."""

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:
        """Remove the temporaries that dead writers with these ``tags`` left (``None``: any tag); return how many.

        Nothing else is removed. The caller must know that these writers are dead.
        """


@runtime_checkable
class Scheme(Storage, Protocol):
    """A storage that an address can open: one module of ``pixmill.storage.schemes``, which gives the scheme its name."""

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:
        """Return the storage at ``address``; ``AddressError`` if the address is invalid for this scheme.

        Nothing need exist there yet. ``tag`` (up to 32 letters and digits) marks the temporaries of ``write`` for
        ``remove_temporaries``.
        """
