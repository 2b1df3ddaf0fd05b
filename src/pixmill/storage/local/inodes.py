"""Folders as the file system knows them: by device and inode, which are the same by whatever path a folder is reached."""

import os
from collections.abc import Iterator

Inode = tuple[int, int]


def inode(folder: bytes) -> Inode | None:
    """Return device and inode of what is at ``folder``, links followed; ``None`` where nothing can be seen."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def absolute(path: bytes) -> bytes:
    """Return ``path`` from the root on, whatever the current folder will be; links stay."""
    return os.path.abspath(path)


def real(path: bytes) -> bytes:
    """Return ``path`` with all links in it followed."""
    return os.path.realpath(path)


def holder(file: bytes) -> bytes:
    """Return the folder that ``file`` is in."""
    return os.path.dirname(file)


def real_holder(file: bytes) -> bytes:
    """Return the folder of the file that ``file`` is or leads to."""
    return os.path.dirname(os.path.realpath(file))


def is_link(path: bytes) -> bool:
    """Tell whether there is a symbolic link at ``path``."""
    return os.path.islink(path)


def parents(folder: bytes) -> Iterator[bytes]:
    """Yield the real path of ``folder``, which need not exist, then those of all folders around it, ``/`` the last."""
    real = os.path.realpath(folder)
    yield real
    while (above := os.path.dirname(real)) != real:
        yield above
        real = above
