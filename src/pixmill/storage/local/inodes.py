"""Folders identified by device and inode, which are the same for every path that leads to a folder."""

import os
from collections.abc import Iterator

Inode = tuple[int, int]


def inode(folder: bytes) -> Inode | None:
    """Return device and inode of ``folder``, following links; ``None`` if it cannot be examined."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def absolute(path: bytes) -> bytes:
    """Return ``path`` as an absolute path; links are not resolved."""
    return os.path.abspath(path)


def real(path: bytes) -> bytes:
    """Return ``path`` with all links resolved."""
    return os.path.realpath(path)


def holder(file: bytes) -> bytes:
    """Return the folder that contains ``file``."""
    return os.path.dirname(file)


def real_holder(file: bytes) -> bytes:
    """Return the folder that contains ``file``, or for a link the folder of its target."""
    return os.path.dirname(os.path.realpath(file))


def is_link(path: bytes) -> bool:
    """Tell whether ``path`` is a symbolic link."""
    return os.path.islink(path)


def parents(folder: bytes) -> Iterator[bytes]:
    """Yield the real path of ``folder``, which need not exist, then those of all its parents, ending with ``/``."""
    real = os.path.realpath(folder)
    yield real
    while (above := os.path.dirname(real)) != real:
        yield above
        real = above
