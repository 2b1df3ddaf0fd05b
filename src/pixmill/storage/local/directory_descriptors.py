"""The folders below a root as descriptors, opened one component at a time, so that no link redirects a write.

A path that is resolved again for each call may lead to another folder each time. A descriptor always refers to the folder that
was checked.
"""

import errno
import os
import stat
import threading
from collections import OrderedDict
from contextlib import suppress
from functools import cache

from pixmill.core.errors import RunError, WriteError
from pixmill.core.operating_system import CLOSED_ON_EXEC, FOLDER, NO_FOLLOW
from pixmill.core.text import printable

_FLAGS = os.O_RDONLY | FOLDER | CLOSED_ON_EXEC
_MAX_CACHED = 4  # folders; each is an open descriptor, and a run may have a hundred workers


class Directory:
    """An open folder. Its descriptor is closed with the last reference.

    ``is_behind_link_or_mount``: a symbolic link or another mount on the path to it leads out of the tree, perhaps to the sources.
    """

    __slots__ = ("descriptor", "identity", "is_behind_link_or_mount", "mount")

    def __init__(self, descriptor: int, *, parent: "Directory | None" = None, is_linked: bool = False) -> None:
        """Take ownership of ``descriptor``, which was opened in ``parent``, through a link if ``is_linked``."""
        self.descriptor = descriptor
        self.identity = _identity(os.fstat(descriptor))
        self.mount = _mount(descriptor) or self.identity[:1]
        self.is_behind_link_or_mount = is_linked
        if parent is not None and (parent.is_behind_link_or_mount or parent.mount != self.mount):
            self.is_behind_link_or_mount = True

    def __del__(self) -> None:
        """Close the descriptor."""
        with suppress(OSError):
            os.close(self.descriptor)

    def is_at(self, path: bytes) -> bool:
        """Tell whether ``path`` still leads to this folder."""
        try:
            return _identity(os.stat(path)) == self.identity
        except OSError:
            return False


class Directories:
    """Opens and creates folders below ``root``, and caches the most recently used ones. Threads may share it.

    Without ``follow_links`` a symbolic link below the root raises ``WriteError`` with code ``write-link``; the root itself may
    be a link. The root is created with the first folder that is opened. If it disappears after that, ``RunError`` is raised: the
    results in it are gone, too.
    """

    def __init__(self, root: bytes, *, follow_links: bool, reserved: bytes = b"") -> None:
        """Open nothing yet. The folder ``reserved`` in the root is never opened, by whatever name or link."""
        self._path = root
        self._follow = follow_links
        self._reserved = reserved
        self._root: Directory | None = None
        self._cached: OrderedDict[bytes, Directory] = OrderedDict()
        self._lock = threading.Lock()

    def check_length(self, path: bytes) -> None:
        """Raise an ``OSError`` if ``path`` is too long to be opened by name, as readers do."""
        if len(self._path) + len(path) + 2 > _max_path():
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)

    def open(self, folder: bytes) -> tuple[Directory, list[Directory]]:
        """Return the folder at the relative path ``folder`` (empty: the root), and the folders in which new ones were created."""
        with self._lock:
            cached = self._cached.get(folder)
            if cached is not None and cached.is_at(os.path.join(self._path, folder)):
                self._cached.move_to_end(folder)
                return cached, []
            changed: list[Directory] = []
            directory = self._opened_root(changed)
            for component in filter(None, folder.split(b"/")):
                directory = self._opened(component, directory, changed, folder)
            self._cached[folder] = directory
            self._cached.move_to_end(folder)
            if len(self._cached) > _MAX_CACHED:
                self._cached.popitem(last=False)
            return directory, changed

    def _opened_root(self, changed: list[Directory]) -> Directory:
        if self._root is None:
            changed += [Directory(os.open(path, _FLAGS)) for path in _make_root(self._path)]
            self._root = Directory(os.open(self._path, _FLAGS))
        elif not self._root.is_at(self._path):
            self._cached.clear()
            message = f"{printable(self._path)} was removed or replaced while results were being written to it"
            raise RunError(message, code="output-lost", hint="make sure that the folder exists, then run the same command again")
        return self._root

    def _opened(self, component: bytes, parent: Directory, changed: list[Directory], folder: bytes) -> Directory:
        """Return the folder ``component`` in ``parent``, created if it does not exist."""
        for _ in range(2):  # twice: another worker may create or remove it at the same time
            with suppress(FileNotFoundError):
                return self._unreserved(self._existing(component, parent, folder), folder)
            with suppress(FileExistsError):
                os.mkdir(component, dir_fd=parent.descriptor)
                changed.append(parent)
        return self._existing(component, parent, folder)

    def _unreserved(self, directory: Directory, folder: bytes) -> Directory:
        """Return ``directory``; ``WriteError`` if it is the reserved one."""
        if self._reserved and directory.is_at(os.path.join(self._path, self._reserved)):
            message = f"{printable(folder)} is the folder where pixmill keeps its own files"
            raise WriteError(message, code="reserved", hint="choose another name with --name")
        return directory

    def _existing(self, component: bytes, parent: Directory, folder: bytes) -> Directory:
        try:
            descriptor = os.open(component, _FLAGS | NO_FOLLOW, dir_fd=parent.descriptor)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
        else:
            return Directory(descriptor, parent=parent)
        shown = printable(folder)
        if not stat.S_ISLNK(os.stat(component, dir_fd=parent.descriptor, follow_symlinks=False).st_mode):
            message = f"the folder {shown} cannot be created in the destination: {printable(component)} is a file there"
            raise WriteError(message, code="exists", hint="move that file away, then: pixmill retry DST")
        if not self._follow:
            target = printable(os.readlink(component, dir_fd=parent.descriptor))
            message = f"{printable(component)} (in {shown}) is a symbolic link in the destination, to {target}"
            hint = "to write through links in the destination"
            raise WriteError(message, code="write-link", hint=hint, options={"follow_output_links": True})
        return Directory(os.open(component, _FLAGS, dir_fd=parent.descriptor), parent=parent, is_linked=True)


@cache
def _max_path() -> int:
    """Return how many bytes a path can have, with the NUL at its end."""
    return os.pathconf("/", "PC_PATH_MAX")


def _make_root(path: bytes) -> list[bytes]:
    """Create the folder ``path`` and its parents; return the folders that changed: the parents of all that were created."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another worker was faster
            os.mkdir(folder)
    return [os.path.dirname(folder) for folder in missing]


def _mount(descriptor: int) -> tuple[int, ...]:
    """Return the ID of the mount of an open file; two mounts of one file system have different IDs. Empty if it is unknown."""
    with suppress(OSError), open(f"/proc/self/fdinfo/{descriptor}", "rb") as lines:
        return tuple(int(line.split()[1]) for line in lines if line.startswith(b"mnt_id:"))
    return ()


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
