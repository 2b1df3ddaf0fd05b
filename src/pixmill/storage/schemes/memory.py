"""A storage that lasts as long as the object: for tests and examples. ``memory://`` opens a new, empty one."""

import posixpath
from collections.abc import Callable, Container, Iterator
from itertools import groupby
from typing import Self

from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.storage import FREE_NAME, Replacing, Scheme, no_op, occupied


class MemoryStorage(Scheme):
    """A dictionary of paths. The version of an entry is the number of the write that made it, or its modification time."""

    def __init__(self) -> None:
        """Start empty."""
        self._files: dict[bytes, tuple[bytes, bytes]] = {}
        self._writes = 0

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:  # noqa: ARG003  # nothing here is shared or linked
        """Return a new, empty storage, whatever its name."""
        return cls()

    def stat(self, path: bytes) -> Entry | None:
        """Return what is there, or ``None``."""
        found = self._files.get(relative(path))
        return Entry(path, len(found[0]), found[1]) if found else None

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the whole content."""
        data = self._content(path)
        if len(data) > limit:
            message = f"{printable(path)} has {len(data)} bytes, more than the limit of {limit}"
            raise ReadError(message, code="limit-bytes")
        return data

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes."""
        return self._content(path)[:size]

    def write(
        self,
        path: bytes,
        data: bytes,
        *,
        durable: bool,  # noqa: ARG002  # it lasts as long as it lasts
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,  # noqa: ARG002  # nothing is waited for
        replacing: Replacing = FREE_NAME,
    ) -> None:
        """Keep ``data``."""
        found = self._files.get(relative(path))
        if found and not (replacing.own or replacing.others):
            if found[0] != data:
                raise occupied(path)
            return
        self._writes += 1
        self._files[relative(path)] = (bytes(data), b"%d" % (self._writes if mtime_ns is None else mtime_ns))

    def delete(self, path: bytes) -> None:
        """Forget ``path``."""
        self._files.pop(relative(path), None)

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,  # noqa: ARG002  # nothing here can be unreadable
        on_link: Callable[[bytes], None] | None = None,  # noqa: ARG002  # there are no links
    ) -> Iterator[Listing]:
        """Yield the entries below ``under``, one directory at a time, sorted."""
        inside = relative(under) + b"/" if under else b""
        paths = sorted((path for path in self._files if path.startswith(inside)), key=_in_order)
        folders = sorted({folder for path in paths for folder in _between(under, posixpath.dirname(path))})
        for directory, members in groupby(paths, key=posixpath.dirname):
            if descend is None or all(map(descend, _between(under, directory))):
                if descend is not None:
                    for folder in folders:
                        if posixpath.dirname(folder) == directory:
                            descend(folder)
                yield [Entry(path, len(self._files[path][0]), self._files[path][1]) for path in members]

    def local_path(self, path: bytes) -> None:
        """Return ``None``: nothing here has a place in the file system."""
        relative(path)

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:  # noqa: ARG002  # a write here is never unfinished
        """Return 0: a write here is never unfinished."""
        return 0

    def _content(self, path: bytes) -> bytes:
        found = self._files.get(relative(path))
        if found is None:
            raise ReadError(f"{printable(path)} is not there", code="read-vanished")
        return found[0]


def _in_order(path: bytes) -> tuple[list[bytes], bytes]:
    """Sort a directory before those in it, and all of them by the names on the way."""
    directory, name = posixpath.split(path)
    return directory.split(b"/") if directory else [], name


def _between(under: bytes, directory: bytes) -> list[bytes]:
    """Return the directories on the way from ``under`` to ``directory``, the last included."""
    way = []
    while directory != under:
        way.append(directory)
        directory = posixpath.dirname(directory)
    return way[::-1]
