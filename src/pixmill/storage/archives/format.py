"""What the kinds of archives have in common: members, each found at an offset of the file."""

import os
from collections.abc import Iterator
from typing import Protocol

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.text import printable


class Member(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A regular file in an archive. ``at`` is where its header begins; a hard link names the member ``link`` instead of a size.

    ``refusal`` says why it cannot be taken, where that is so; without a path it is about all that follows in the archive.
    """

    path: bytes
    size: int
    version: bytes
    offset: int
    link: bytes = b""
    error: str = ""


class ArchiveFormat(Protocol):
    """How one kind of archive is laid out."""

    def __init__(self, file: "ArchiveFile") -> None:
        """Take an open file; ``AddressError`` when it is not of this kind."""

    def members(self) -> Iterator[Member]:
        """Yield every regular file, in the order of the archive; a name may come again, and then the last one counts.

        What is no regular file is left out, as in a folder.
        """

    def member(self, at: int) -> Member:
        """Return the member whose header is at ``at``; ``ReadError`` when there is none."""

    def read(self, at: int, *, limit: int) -> bytes:
        """Return the content of the member at ``at``; ``ReadError`` ``limit-bytes`` as soon as it is more than ``limit`` bytes."""

    def head(self, at: int, size: int) -> bytes:
        """Return the first ``size`` bytes of the member at ``at``."""


class ArchiveFile:
    """An archive that is open for reading at any offset. ``identity`` changes when the file is another than it was."""

    def __init__(self, path: bytes) -> None:
        """Open ``path``; ``OSError`` when that is not possible."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        self.mtime_ns = status.st_mtime_ns

    @property
    def identity(self) -> bytes:
        """Return what tells this state of the file from others: its size and its modification time."""
        return b"%d-%d" % (self.size, self.mtime_ns)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def read(self, size: int, at: int) -> bytes:
        """Return the ``size`` bytes at ``at``, fewer at the end of the file."""
        parts = []
        size = min(size, self.size - at) if 0 <= at < self.size else 0  # a damaged header may say anything
        while size > 0 and (part := os.pread(self._descriptor, min(size, 1 << 24), at)):
            parts.append(part)
            at += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def damaged(self, at: int, what: str) -> ReadError:
        """Return the error for an archive that is not what it should be at ``at``."""
        message = f"{printable(self.path)} is damaged at byte {at:,}: {what}"
        return ReadError(message, code="archive-damaged", hint="what follows in it cannot be found; make the archive anew")


def safe_name(name: bytes) -> bytes:
    """Return a member's ``name`` as a path below the archive: without ``./`` in front, and doubled slashes.

    ``ReadError`` for one that leads out of it: absolute, or with ``..`` in it.
    """
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if name.startswith(b"/") or b".." in parts or b"\0" in name or not parts:
        raise ReadError(f"the name {printable(name)!r} leads out of the archive", code="archive-member")
    return b"/".join(parts)


def too_large(path: bytes, size: int | None, limit: int) -> ReadError:
    """Return the error for a member of ``size`` bytes (``None``: more than it says) where ``limit`` are allowed."""
    has = "more bytes than it says" if size is None else f"{size} bytes"
    return ReadError(f"{printable(path)} has {has}, more than the limit of {limit}", code="limit-bytes")


def unreadable(path: bytes, why: str, *, hint: str = "") -> ReadError:
    """Return the error for one member that cannot be read: ``why`` completes *photo.jpg is ...*."""
    return ReadError(f"{printable(path)} is {why}", code="archive-member", hint=hint)
