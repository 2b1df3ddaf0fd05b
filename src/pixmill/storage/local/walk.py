"""List a directory tree as a stream: sorted, in bytes, with one directory in memory at a time, or a part of a large one.

The innermost loop runs once per file, for up to a hundred million files: it contains no needless calls.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

import msgspec

from pixmill.core.errors import ReadError
from pixmill.core.external_sort import ExternalSort, Record
from pixmill.storage.entry import Entry, Listing
from pixmill.storage.local.errors import read_error
from pixmill.storage.local.temporary import is_temporary
from pixmill.storage.parts import PART, group_key, in_parts

LARGE = 10_000  # entries of a directory; with more it is sorted on disk and yielded in parts
MAX_BYTES = 8_000_000  # of entries in memory while a large directory is sorted


class Walk(msgspec.Struct, frozen=True):
    """A traversal of the tree below ``root``.

    ``follow`` follows symbolic links; a directory that several paths lead to is then visited once, by the first path.
    ``descend``, ``on_error`` and ``on_link`` are those of ``Storage.list``, ``group`` is that of ``Storage.list_parts``,
    ``wants`` that of ``Storage.list_wanted``.
    """

    root: bytes
    follow: bool
    descend: Callable[[bytes], bool] | None
    on_error: Callable[[bytes, ReadError], None] | None
    on_link: Callable[[bytes], None] | None = None
    group: Callable[[bytes], bytes] | None = None
    wants: Callable[[bytes], bool] | None = None

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
            parts, directories = self._directory(path)
            yield from parts
            if directories:
                levels.append(directories)

    def _directory(self, path: bytes) -> tuple[Iterable[Listing], list[bytes]]:
        """Return the files of one directory, sorted, in one or more parts, and the directories in it to enter, in reverse."""
        prefix = path + b"/" if path else b""
        try:
            with os.scandir(os.path.join(self.root, path)) as found:
                wants = self.wants
                entries = found if wants is None else (entry for entry in found if wants(entry.name))
                files, directories = self._partition(prefix, entries if self.group is None else islice(entries, LARGE))
                rest = [] if self.group is None else list(islice(entries, 1))
                parts = self._parts(prefix, files, directories, chain(rest, entries)) if rest else None
        except OSError as error:
            self._report(path, error)
            return [], []
        if self.descend:
            directories = [directory for directory in directories if self.descend(directory)]
        directories.sort(reverse=True)
        if parts is not None:
            return parts, directories
        files.sort(key=_path)
        return [files] if files else [], directories

    def _parts(
        self, prefix: bytes, files: Listing, directories: list[bytes], rest: Iterator[os.DirEntry[bytes]]
    ) -> Iterator[Listing]:
        """Return the parts of ``files`` and the files of ``rest``, which is read at once and adds to the ``directories``."""
        sort = ExternalSort(self._records(prefix, files, directories, rest), memory_limit=MAX_BYTES)
        return in_parts(iter(sort))

    def _records(
        self, prefix: bytes, files: Listing, directories: list[bytes], rest: Iterator[os.DirEntry[bytes]]
    ) -> Iterator[Record]:
        group, skipped, encode = self.group or bytes, len(prefix), msgspec.msgpack.Encoder().encode
        while True:
            for entry in files:
                name = entry.path[skipped:]
                yield group_key(group(name), name), encode(entry)
            some = list(islice(rest, PART))
            if not some:
                return
            files, more = self._partition(prefix, iter(some))
            directories.extend(more)

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
