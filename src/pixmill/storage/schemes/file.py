"""Local files: ``photos``, ``/srv/photos``, ``file:///srv/photos``."""

import errno
import os
import stat
from collections.abc import Callable, Container, Iterator
from typing import Self

from pixmill.core.errors import ReadError
from pixmill.core.phases import Phases, completed
from pixmill.storage.address import Address, relative
from pixmill.storage.entry import Entry, FileVersion, Listing
from pixmill.storage.local import atomic, temporary
from pixmill.storage.local.directory_descriptors import Directories
from pixmill.storage.local.errors import read_error, write_error
from pixmill.storage.local.read import read_all, read_head
from pixmill.storage.local.walk import Walk
from pixmill.storage.storage import FREE_NAME, Replacing, Scheme, no_op


class FileStorage(Scheme):
    """A directory. Regular files only; with ``follow_symlinks`` also the targets of links, wherever they are.

    Without ``follow_symlinks`` the last part of a path may not be a link, and nothing is written through links. Listings enter no
    links either, so the path of a listed file contains none.
    """

    def __init__(self, root: bytes, *, tag: str = "0", follow_symlinks: bool = False, reserved: bytes = b"") -> None:
        """Use the directory ``root``, which need not exist yet; later changes of the working directory have no effect.

        Nothing is written to the folder ``reserved`` in it, by whatever name or link that is reached.
        """
        self.root = os.path.abspath(root)
        self._follow = follow_symlinks
        directories = Directories(self.root, follow_links=follow_symlinks, reserved=reserved)
        self._writer = atomic.AtomicWriter(directories, temporary.names(tag))

    @classmethod
    def open(cls, address: Address, *, tag: str, follow_symlinks: bool) -> Self:
        """Return the directory at ``address``."""
        return cls(address.location, tag=tag, follow_symlinks=follow_symlinks)

    def stat(self, path: bytes) -> Entry | None:
        """Return the regular file at ``path``, or ``None``."""
        try:
            status = os.stat(self.local_path(path), follow_symlinks=self._follow)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise read_error(error, self.local_path(path)) from error
        if not stat.S_ISREG(status.st_mode):
            return None
        return Entry(path, status.st_size, b"%d" % status.st_mtime_ns, status.st_ctime_ns)

    def version_of(self, path: bytes) -> FileVersion | None:
        """Return the version of what is at ``path``, without following a link, or ``None``."""
        try:
            return FileVersion.of(os.lstat(self.local_path(path)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise read_error(error, self.local_path(path)) from error

    def read(self, path: bytes, *, limit: int) -> bytes:
        """Return the complete content of a regular file."""
        return read_all(self.local_path(path), limit=limit, follow=self._follow)

    def head(self, path: bytes, size: int) -> bytes:
        """Return the first bytes of a regular file."""
        return read_head(self.local_path(path), size, follow=self._follow)

    def write(
        self,
        path: bytes,
        data: bytes | memoryview,
        *,
        durable: bool,
        mtime_ns: int | None = None,
        on_sync: Callable[[], None] = no_op,
        replacing: Replacing = FREE_NAME,
    ) -> FileVersion:
        """Run all phases of ``write_phases``."""
        return completed(self.write_phases(path, data, durable=durable, mtime_ns=mtime_ns, on_sync=on_sync, replacing=replacing))

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
        """Write a temporary next to the target, then rename it; with ``durable``, fsync the file before and the directory after."""
        content = atomic.WriteRequest(data, durable, mtime_ns, on_sync, replacing)
        try:
            return (yield from self._writer.write_phases(relative(path), content))
        except OSError as error:
            raise write_error(error, self.local_path(path), root=self.root) from error

    def is_occupied(self, path: bytes) -> bool:
        """Tell whether anything exists at ``path``; true if a parent of it is a file, or if the path cannot be examined."""
        try:
            os.lstat(self.local_path(path))
        except OSError as error:
            return error.errno not in (errno.ENOENT, errno.ENAMETOOLONG)
        return True

    def delete(self, path: bytes) -> None:
        """Remove a file, if it exists."""
        target = self.local_path(path)
        try:
            os.unlink(target)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise write_error(error, target, root=self.root) from error

    def list(
        self,
        under: bytes = b"",
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the regular files below ``under``, one directory at a time, sorted."""
        walk = Walk(self.root, self._follow, descend, on_error, on_link)
        return walk.listings(relative(under) if under else b"")

    def list_parts(
        self,
        group: Callable[[bytes], bytes],
        *,
        folders_first: bool = True,  # noqa: ARG002  # they always come first
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the regular files; a directory with more than ``walk.LARGE`` entries is sorted on disk and comes in parts."""
        return Walk(self.root, self._follow, descend, on_error, on_link, group).listings(b"")

    def list_wanted(
        self,
        under: bytes,
        wants: Callable[[bytes], bool],
        *,
        descend: Callable[[bytes], bool] | None = None,
        on_error: Callable[[bytes, ReadError], None] | None = None,
        on_link: Callable[[bytes], None] | None = None,
    ) -> Iterator[Listing]:
        """Yield the regular files whose names it ``wants``; of the others only the names are read."""
        walk = Walk(self.root, self._follow, descend, on_error, on_link, wants=wants)
        return walk.listings(relative(under) if under else b"")

    def local_path(self, path: bytes) -> bytes:
        """Return the file-system path of ``path``."""
        return os.path.join(self.root, relative(path))

    def remove_temporaries(self, tags: Container[str] | None = None) -> int:
        """Remove the temporaries of dead writers from the complete tree; return how many were removed."""
        return temporary.remove_temporaries(self.root, tags)
