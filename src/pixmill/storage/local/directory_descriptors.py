"""The folders below a root as descriptors, opened one component at a time, so that no link leads a write elsewhere.

A path that is looked up again for each call can be another folder each time. A descriptor stays the folder that was checked.
"""

import errno
import os
import stat
import threading
from collections import OrderedDict
from contextlib import suppress

from pixmill.core.errors import RunError, WriteError
from pixmill.core.text import printable

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MAX_PATH = os.pathconf("/", "PC_PATH_MAX")  # bytes, with the NUL at the end
_MAX_CACHED = 32  # folders; each is an open file, and a run may have a hundred workers


class Directory:
    """An open folder. Its descriptor is closed with the last reference.

    ``is_elsewhere``: a symbolic link or another mount on the way to it leads out of the tree, perhaps to the sources.
    """

    __slots__ = ("descriptor", "identity", "is_elsewhere", "mount")

    def __init__(self, descriptor: int, *, parent: "Directory | None" = None, is_linked: bool = False) -> None:
        """Own ``descriptor``, which was opened in ``parent``, by way of a link if it ``is_linked``."""
        self.descriptor = descriptor
        self.identity = _identity(os.fstat(descriptor))
        self.mount = _mount(descriptor) or self.identity[:1]
        self.is_elsewhere: bool = is_linked or (parent is not None and (parent.is_elsewhere or parent.mount != self.mount))

    def __del__(self) -> None:
        """Close it."""
        with suppress(OSError):
            os.close(self.descriptor)

    def is_at(self, path: bytes) -> bool:
        """Tell whether this folder is still what ``path`` leads to."""
        try:
            return _identity(os.stat(path)) == self.identity
        except OSError:
            return False


class Directories:
    """Opens and makes folders below ``root``, and keeps the ones used last. Threads may share it.

    Without ``follow_links`` a symbolic link below the root is a ``WriteError`` with code ``write-link``. The root itself may be
    one. It is made with the first folder that is asked for; when it is gone after that, it is a ``RunError``: what was written
    is gone with it.
    """

    def __init__(self, root: bytes, *, follow_links: bool) -> None:
        """Open nothing yet."""
        self._path = root
        self._follow = follow_links
        self._root: Directory | None = None
        self._cached: OrderedDict[bytes, Directory] = OrderedDict()
        self._lock = threading.Lock()

    def check_length(self, path: bytes) -> None:
        """Raise the ``OSError`` of a path that is too long to be opened by its name, which readers do."""
        if len(self._path) + len(path) + 2 > _MAX_PATH:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)

    def open(self, folder: bytes) -> tuple[Directory, list[Directory]]:
        """Return the folder at the relative path ``folder`` (empty: the root), and those in which others were made for it."""
        with self._lock:
            known = self._cached.get(folder)
            if known is not None and known.is_at(os.path.join(self._path, folder)):
                self._cached.move_to_end(folder)
                return known, []
            changed: list[Directory] = []
            found = self._opened_root(changed)
            for component in filter(None, folder.split(b"/")):
                found = self._opened(component, found, changed, folder)
            self._cached[folder] = found
            self._cached.move_to_end(folder)
            if len(self._cached) > _MAX_CACHED:
                self._cached.popitem(last=False)
            return found, changed

    def _opened_root(self, changed: list[Directory]) -> Directory:
        if self._root is None:
            changed += [Directory(os.open(path, _FLAGS)) for path in _make_root(self._path)]
            self._root = Directory(os.open(self._path, _FLAGS))
        elif not self._root.is_at(self._path):
            self._cached.clear()
            message = f"{printable(self._path)} was removed or replaced while results were written to it"
            raise RunError(message, code="output-lost", hint="see that the folder is there, and run the same command again")
        return self._root

    def _opened(self, component: bytes, parent: Directory, changed: list[Directory], folder: bytes) -> Directory:
        """Return the folder ``component`` in ``parent``, made if it is not there."""
        for _ in range(2):  # twice: another worker may make it, or remove it, at this moment
            with suppress(FileNotFoundError):
                return self._existing(component, parent, folder)
            with suppress(FileExistsError):
                os.mkdir(component, dir_fd=parent.descriptor)
                changed.append(parent)
        return self._existing(component, parent, folder)

    def _existing(self, component: bytes, parent: Directory, folder: bytes) -> Directory:
        try:
            descriptor = os.open(component, _FLAGS | os.O_NOFOLLOW, dir_fd=parent.descriptor)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
        else:
            return Directory(descriptor, parent=parent)
        shown = printable(folder)
        if not stat.S_ISLNK(os.stat(component, dir_fd=parent.descriptor, follow_symlinks=False).st_mode):
            message = f"{shown} cannot be a folder in the destination: {printable(component)} is a file there"
            raise WriteError(message, code="exists", hint="move that file away, then: pixmill retry DST")
        if not self._follow:
            target = printable(os.readlink(component, dir_fd=parent.descriptor))
            message = f"{printable(component)} (in {shown}) is a symbolic link in the destination, to {target}"
            raise WriteError(message, code="write-link", hint="--follow-output-links writes through links below DST")
        return Directory(os.open(component, _FLAGS, dir_fd=parent.descriptor), parent=parent, is_linked=True)


def _make_root(path: bytes) -> list[bytes]:
    """Make the folder ``path`` and its parents; return those whose content changed: the parents of all that were made."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another worker was faster
            os.mkdir(folder)
    return [os.path.dirname(folder) for folder in missing]


def _mount(descriptor: int) -> tuple[int, ...]:
    """Return the number of the mount that an open file is on: two of one file system differ in it. Empty where nobody tells."""
    with suppress(OSError), open(f"/proc/self/fdinfo/{descriptor}", "rb") as lines:
        return tuple(int(line.split()[1]) for line in lines if line.startswith(b"mnt_id:"))
    return ()


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
