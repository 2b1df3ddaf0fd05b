"""The common ground of archive formats: members, each found at an offset in the file."""

import os
from collections.abc import Iterator
from typing import Protocol

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import printable


class Member(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A regular file in an archive. Its header begins at ``offset``; a hard link has the name of a member in ``link``, and no size.

    ``error`` is the reason if the member cannot be read; without a path, it applies to the remainder of the archive.
    """

    path: bytes
    size: int
    version: bytes
    offset: int
    link: bytes = b""
    error: str = ""


class ArchiveFormat(Protocol):
    """The layout of one kind of archive."""

    def __init__(self, file: "ArchiveFile") -> None:
        """Use an open file; ``AddressError`` if it is not in this format."""

    def members(self) -> Iterator[Member]:
        """Yield every regular file, in the order of the archive; a name may occur several times, and the last one counts.

        Anything but regular files is omitted, as in the listing of a folder.
        """

    def member(self, offset: int) -> Member:
        """Return the member whose header is at ``offset``; ``ReadError`` if there is none."""

    def read(self, offset: int, *, limit: int) -> bytes:
        """Return the content of the member at ``offset``; ``ReadError`` ``limit-bytes`` once it exceeds ``limit`` bytes."""

    def head(self, offset: int, size: int) -> bytes:
        """Return the first ``size`` bytes of the member at ``offset``."""


class ArchiveFile:
    """An archive that is open for reading at any offset. ``identity`` changes if the file is replaced or modified."""

    def __init__(self, path: bytes) -> None:
        """Open ``path``; ``OSError`` if that fails."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        self.mtime_ns = status.st_mtime_ns

    @property
    def identity(self) -> bytes:
        """Return the size and the modification time, which identify this state of the file."""
        return b"%d-%d" % (self.size, self.mtime_ns)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def read(self, size: int, offset: int) -> bytes:
        """Return the ``size`` bytes at ``offset``, fewer at the end of the file."""
        parts = []
        size = min(size, self.size - offset) if 0 <= offset < self.size else 0  # a damaged header may contain any number
        while size > 0 and (part := os.pread(self._descriptor, min(size, 1 << 24), offset)):
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def damaged(self, offset: int, problem: str) -> ReadError:
        """Return the error for an archive with a ``problem`` at ``offset``."""
        message = f"{printable(self.path)} is damaged at byte {offset:,}: {problem}"
        hint = "the files after the damage cannot be found; create the archive again"
        return ReadError(message, code="archive-damaged", hint=hint)


def safe_name(name: bytes) -> bytes:
    """Return a member's ``name`` as a path inside the archive: without a leading ``./`` and without double slashes.

    ``ReadError`` if it leads out of the archive: an absolute path, or one with ``..``.
    """
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if name.startswith(b"/") or b".." in parts or b"\0" in name or not parts:
        raise ReadError(f"the name {printable(name)!r} leads out of the archive", code="archive-member")
    return b"/".join(parts)


def unreadable(path: bytes, reason: str, *, hint: str = "") -> ReadError:
    """Return the error for one member that cannot be read; ``reason`` completes *photo.jpg is ...*."""
    return ReadError(f"{printable(path)} is {reason}", code="archive-member", hint=hint)
