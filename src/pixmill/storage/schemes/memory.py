"""A storage in memory, for tests and examples, which lasts as long as the object. ``memory://`` opens a new, empty one."""

import posixpath
from collections.abc import Callable, Container, Iterator
from itertools import groupby
from typing import Self

from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry, FileVersion, Listing
from pixmill.storage.storage import FREE_NAME, Replacing, Scheme, content_digest, no_op, occupied, too_large


class MemoryStorage(Scheme):
    """A dictionary of paths. The version of an entry is the number of the write that created it, or its modification time."""

    def __init__(self) -> None:
        """Start empty."""
        self._files: dict[bytes, tuple[bytes, bytes]] = {}
        self._writes = 0

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # nothing is shared or linked
        """Return a new, empty storage for any location."""
        return cls()

    def stat(self, path: bytes) -> Entry | None:
        """Return the entry at ``path``, or ``None``."""
        file = self._files.get(relative(path))
        return Entry(path, len(file[0]), file[1]) if file else None

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content."""
        data = self._content(path)
        if len(data) > limit:
            raise too_large(path, len(data), limit)
        return data

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes."""
        return self._content(path)[:size]

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,  # noqa: ARG002  # memory is never durable
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,  # noqa: ARG002  # there is nothing to sync
        replacing: Replacing = FREE_NAME,
    ) -> FileVersion:
        """Store ``data``."""
        existing = self._files.get(relative(path))
        if existing and not replacing.others:
            version, digest = FileVersion(len(existing[0]), etag=existing[1]), content_digest(existing[0])
            if not any(version == own.version or digest == own.digest for own in replacing.own):
                if existing[0] != data:
                    raise occupied(path, version, own=replacing.own)
                return version
        self._writes += 1
        self._files[relative(path)] = (bytes(data), b"%d" % (self._writes if mtime_ns is None else mtime_ns))
        return FileVersion(len(data), etag=self._files[relative(path)][1])

    def delete(self, path: bytes) -> None:
        """Remove ``path``."""
        self._files.pop(relative(path), None)

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,  # noqa: ARG002  # every entry is readable
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # there are no links
    ) -> Iterator[Listing]:
        """Yield the entries below ``under``, one directory at a time, sorted."""
        prefix = relative(under) + b"/" if under else b""
        paths = sorted((path for path in self._files if path.startswith(prefix)), key=_listing_key)
        folders = sorted({folder for path in paths for folder in _between(under, posixpath.dirname(path))})
        for directory, members in groupby(paths, key=posixpath.dirname):
            if descend is None or all(map(descend, _between(under, directory))):
                if descend is not None:
                    for folder in folders:
                        if posixpath.dirname(folder) == directory:
                            descend(folder)
                yield [Entry(path, len(self._files[path][0]), self._files[path][1]) for path in members]

    def local_path(self, path: bytes) -> None:
        """Return ``None``: an entry has no path in the file system."""
        relative(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:  # noqa: ARG002  # there are no temporaries
        """Return 0: writes leave no temporaries."""
        return 0

    def _content(self, path: bytes) -> bytes:
        file = self._files.get(relative(path))
        if file is None:
            raise ReadError(f"{printable(path)} does not exist", code="read-vanished")
        return file[0]


def _listing_key(path: bytes) -> tuple[list[bytes], bytes]:
    """Return a key that sorts a directory before its subdirectories, and everything by the names along its path."""
    directory, name = posixpath.split(path)
    return directory.split(b"/") if directory else [], name


def _between(under: bytes, directory: bytes) -> list[bytes]:
    """Return the directories on the path from ``under`` to ``directory``, including the last."""
    directories = []
    while directory != under:
        directories.append(directory)
        directory = posixpath.dirname(directory)
    return directories[::-1]
