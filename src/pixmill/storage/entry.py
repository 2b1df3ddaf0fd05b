"""What a listing tells of a file: its path, size and version, and where it is to be found."""

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import printable

#: the entries of one directory, in the order of their names


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A regular file or an object. ``path`` is relative to the storage's root, ``/``-separated bytes.

    Together, ``size`` and ``version`` change when the content may have changed. ``version`` is the modification time in
    nanoseconds for a file, an ETag for an object.
    """

    path: bytes
    size: int
    version: bytes


class LocatedEntry(Entry, frozen=True, array_like=True, gc=False):
    """An entry that its storage finds by ``place``: at once, where its path would have to be looked for.

    The place is no part of what the entry is; it may change while the content stays. It begins with NUL, as no path does.
    """

    locator: bytes


def changed(path: bytes) -> ReadError:
    """Return the error for a source that was written to since it was listed, so that it may be half of each version."""
    message, hint = f"{printable(path)} changed or vanished while it was read", "run again: it will be taken as it is then"
    return ReadError(message, code="changed", hint=hint)


def locator_of(entry: Entry) -> bytes:
    """Return what its storage finds ``entry`` by best: its place where it has one, else its path."""
    return entry.locator if isinstance(entry, LocatedEntry) else entry.path


Listing = list[Entry]
