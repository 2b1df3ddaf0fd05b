"""``ArchiveStorage``: an archive as a storage that is only read."""

import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import ClassVar, Self
from urllib.parse import unquote_to_bytes

from pixmill.core.errors import AddressError, ReadError, RunError
from pixmill.core.text import printable
from pixmill.storage.address import Address, relative
from pixmill.storage.archives.format import ArchiveFile, ArchiveFormat, Member, unreadable
from pixmill.storage.archives.index import MemberIndex, Members
from pixmill.storage.entry import Listing, LocatedEntry
from pixmill.storage.read_only import ReadOnly


class ArchiveStorage(ReadOnly):
    """The members of one archive, read in place.

    An entry's locator is the offset of its header together with the identity of the archive, so a worker can read the entry
    without knowing any other member. The first read by path scans the headers of all members.
    """

    layout: ClassVar[type[ArchiveFormat]]

    def __init__(self, path: bytes) -> None:
        """Open the archive at ``path``; ``AddressError`` if it does not exist or is not in this format."""
        try:
            self._file = ArchiveFile(path)
        except OSError as error:
            raise AddressError(f"{printable(path)} cannot be opened: {error.strerror}") from None
        weakref.finalize(self, self._file.close)
        self._path = path
        self._layout = self.layout(self._file)

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # it writes nothing, and its links stay inside it
        """Return the archive whose percent-encoded path is the location of ``address``."""
        return cls(os.path.abspath(unquote_to_bytes(address.location)))

    def stat(self, path: bytes) -> LocatedEntry | None:
        """Return the member at ``path``, or ``None``."""
        member = self._member(path)
        return None if member is None else self._entry(member, path)

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content of a member."""
        return self._layout.read(self._existing(path).offset, limit=limit)

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes of a member."""
        return self._layout.head(self._existing(path).offset, size)

    def file_of(self, path: bytes) -> bytes:  # noqa: ARG002  # one file contains all members
        """Return the path of the archive."""
        return self._path

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # links in an archive are omitted or lead to its members
    ) -> Iterator[Listing]:
        """Yield the members below ``under``, one folder at a time, sorted."""
        return self._listings(self._members.folders(relative(under) if under else b"", descend), on_error)

    def list_parts(
        self,
        group: Callable[[bytes], bytes],
        *,
        folders_first: bool = True,  # noqa: ARG002  # they always come first
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # the same
    ) -> Iterator[Listing]:
        """Yield the members, a large folder in parts."""
        return self._listings(self._members.folders(b"", descend, group), on_error)

    def _listings(self, folders: Iterable[Members], on_error: Callable[[bytes, ReadError], None] | None) -> Iterator[Listing]:
        for members in folders:
            entries: Listing = []
            for member in members:
                try:
                    entries.append(self._listed(member))
                except ReadError as error:
                    if on_error is None:
                        raise
                    on_error(member.path, error)
            if entries:
                yield entries

    def local_path(self, path: bytes) -> None:
        """Return ``None``: a member has no path in the file system."""
        self._checked(path)

    def read_only_error(self, path: bytes) -> RunError:
        """Return the error for writing into an archive."""
        self._checked(path)
        message = f"{printable(self._file.path)} is an archive, which pixmill only reads"
        return RunError(message, code="read-only", hint="choose a folder or a bucket as the destination")

    @cached_property
    def _members(self) -> MemberIndex:
        return MemberIndex(self._layout)

    def _member(self, path: bytes) -> Member | None:
        return self._members.find(relative(path)) if not path.startswith(b"\0") else self._located(path)

    def _existing(self, path: bytes) -> Member:
        member = self._member(path)
        if member is None:
            raise ReadError(f"{printable(path)} is not in {printable(self._file.path)}", code="read-vanished")
        return member

    def _located(self, locator: bytes) -> Member:
        offset, _, identity = locator[1:].partition(b" ")
        if identity != self._file.identity:
            message = f"{printable(self._file.path)} was changed after it was listed"
            raise ReadError(message, code="read-changed", hint="run the same command again to read the new archive")
        return self._layout.member(int(offset))

    def _listed(self, member: Member) -> LocatedEntry:
        """Return the entry for a member, for a link that of its target; ``ReadError`` if it cannot be read."""
        if member.error:
            raise ReadError(member.error, code="archive-member" if member.path else "archive-damaged")
        target = self._members.find(member.link) if member.link else member
        if target is None:
            raise unreadable(member.path, f"a link to {printable(member.link)}, which is not in the archive")
        return self._entry(target, member.path)

    def _entry(self, member: Member, path: bytes) -> LocatedEntry:
        locator = b"\0%d %s" % (member.offset, self._file.identity)
        return LocatedEntry(path, member.size, member.version, locator=locator)

    def _checked(self, path: bytes) -> bytes:
        return path if path.startswith(b"\0") else relative(path)
