"""Entries of a listing: the path, size and version of a file, and how its storage locates it."""

import os
from typing import Self

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import printable

MAX_TIME_DIGITS = 19  # of a modification time in nanoseconds, until the year 2286


def time_of(version: bytes) -> int | None:
    """Return the modification time that ``version`` is, in nanoseconds since the epoch, negative before 1970.

    ``None`` if it is something else: the version of a URL, or a digest.
    """
    digits = version.removeprefix(b"-")
    return int(version) if digits.isdigit() and len(digits) <= MAX_TIME_DIGITS else None


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False, eq=False):
    """A regular file or an object. ``path`` is relative to the storage's root, ``/``-separated bytes.

    If the content has changed, ``size`` or ``version`` usually changes. ``version`` is the modification time in nanoseconds for
    a file, an ETag for an object. ``changed_at`` is when anything about a file was last changed, its content, name or mode (ctime,
    in nanoseconds since the epoch); 0 where it is unknown. It is not part of the entry's identity.
    """

    path: bytes
    size: int
    version: bytes
    changed_at: int = 0

    @property
    def identity(self) -> tuple[bytes, int, bytes]:
        """Return what tells this version of the file from others."""
        return self.path, self.size, self.version

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same version of the same file."""
        return isinstance(other, Entry) and self.identity == other.identity

    def __ne__(self, other: object) -> bool:
        """Tell whether it is another file or version; needed since ``Struct`` has a ``!=`` of its own."""
        return not self == other

    def __hash__(self) -> int:
        """Return a hash that agrees with ``==``."""
        return hash(self.identity)


class FileVersion(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What identifies the content of a stored file without reading it: if the content was replaced or changed, a field differs.

    A local file has ``mtime_ns`` (since the epoch) and ``inode``, an object its ``etag``, without quotes.
    """

    size: int
    mtime_ns: int = 0
    inode: int = 0
    etag: bytes = b""

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the version of a local file with this ``status``."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)

    def matches(self, recorded: Self) -> bool:
        """Tell whether it is the version ``recorded``, which has no inode if the file system does not keep them."""
        return self == recorded or (not recorded.inode and msgspec.structs.replace(self, inode=0) == recorded)

    @property
    def is_exact(self) -> bool:
        """Tell whether more than the size is known."""
        return bool(self.mtime_ns or self.etag)

    def evidence(self) -> dict[str, int | str]:
        """Return the known fields, for the record of a failure."""
        fields = {**msgspec.structs.asdict(self), "etag": self.etag.decode()}
        return {name: value for name, value in fields.items() if value or name == "size"}


class LocatedEntry(Entry, frozen=True, array_like=True, gc=False, eq=False):
    """An entry with a ``locator``, by which its storage finds it at once, without searching for its path.

    The locator is not part of the entry's identity; it may change while the content stays. It begins with NUL, unlike any path.
    """

    locator: bytes = b""


def changed(path: bytes) -> ReadError:
    """Return the error for a source that was modified after it was listed, so that its bytes may mix both versions."""
    message = f"{printable(path)} was changed or removed while it was being processed"
    return ReadError(message, code="changed", hint="run the same command again to process the new version")


def locator_of(entry: Entry) -> bytes:
    """Return the best key for finding ``entry`` in its storage: its locator if it has one, else its path."""
    return entry.locator if isinstance(entry, LocatedEntry) else entry.path


#: the entries of one directory, sorted by name
Listing = list[Entry]
