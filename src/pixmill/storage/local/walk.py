"""List a directory tree as a stream: sorted, in bytes, with one directory in memory at a time.

The innermost loop runs once per file, for up to a hundred million files: it contains no needless calls.
"""

import os
import stat
from collections.abc import Callable, Iterator

import msgspec

from pixmill.core.errors import ReadError
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.local.errors import read_error
from pixmill.storage.local.temporary import is_temporary


class Walk(msgspec.Struct, frozen=True):
    """A traversal of the tree below ``root``.

    ``follow`` follows symbolic links; a directory that several paths lead to is then visited once, by the first path.
    ``descend``, ``on_error`` and ``on_link`` are those of ``Storage.list``.
    """

    root: bytes
    follow: bool
    descend: Callable[[bytes], bool] | None
    on_error: Callable[[bytes, ReadError], None] | None
    on_link: Callable[[bytes], None] | None = None

    def listings(self, under: bytes) -> Iterator[Listing]:
        """Yield the entries below ``under``, directory by directory."""
        visited: set[tuple[int, int]] = set()
        # a stack of the directories still to be visited on each level: as deep as the tree, as wide as its directories
        levels = [[under]]
        while levels:
            if not levels[-1]:
                levels.pop()
                continue
            path = levels[-1].pop()
            if self.follow and not self._is_first_visit(path, visited):
                continue
            files, directories = self._directory(path)
            if files:
                yield files
            if directories:
                levels.append(directories)

    def _directory(self, path: bytes) -> tuple[Listing, list[bytes]]:
        """Return the files of one directory, sorted, and the directories in it to enter, in reverse."""
        prefix = path + b"/" if path else b""
        try:
            with os.scandir(os.path.join(self.root, path)) as entries:
                files, directories = self._partition(prefix, entries)
        except OSError as error:
            self._report(path, error)
            return [], []
        if self.descend:
            directories = [directory for directory in directories if self.descend(directory)]
        files.sort(key=_path)
        directories.sort(reverse=True)
        return files, directories

    def _partition(self, prefix: bytes, entries: Iterator[os.DirEntry[bytes]]) -> tuple[Listing, list[bytes]]:
        files: Listing = []
        directories: list[bytes] = []
        follow = self.follow
        for entry in entries:
            name = entry.name
            if follow and self.on_link and entry.is_symlink():
                self.on_link(prefix + name)
            try:
                if entry.is_dir(follow_symlinks=follow):
                    directories.append(prefix + name)
                    continue
                status = entry.stat(follow_symlinks=follow)
            except OSError as error:
                # a file removed since the directory was read is ignored; a dangling link is an error
                if not isinstance(error, FileNotFoundError) or entry.is_symlink():
                    self._report(prefix + name, error)
                continue
            if stat.S_ISREG(status.st_mode) and not is_temporary(name):
                files.append(Entry(prefix + name, status.st_size, b"%d" % status.st_mtime_ns, status.st_ctime_ns))
            elif self.on_link and stat.S_ISLNK(status.st_mode):
                self.on_link(prefix + name)
        return files, directories

    def _is_first_visit(self, path: bytes, visited: set[tuple[int, int]]) -> bool:
        try:
            status = os.stat(os.path.join(self.root, path))
        except OSError as error:
            self._report(path, error)
            return False
        identity = (status.st_dev, status.st_ino)
        is_first = identity not in visited
        visited.add(identity)
        return is_first

    def _report(self, path: bytes, error: OSError) -> None:
        failure = read_error(error, os.path.join(self.root, path))
        if self.on_error is None:
            raise failure from error
        self.on_error(path, failure)


def _path(entry: Entry) -> bytes:
    return entry.path
