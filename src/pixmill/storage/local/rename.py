"""Give a finished file its name without replacing what has it: by the best means that the file system has."""

import ctypes
import errno
import os
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Literal

from pixmill.storage.local import temporary

_NOREPLACE = 1  # RENAME_NOREPLACE, renameat2(2)
_UNKNOWN = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.EACCES, errno.EXDEV, *_UNKNOWN})

Means = Literal["rename", "link", "check"]


def name_exclusively(unfinished: bytes, name: bytes, *, folder: int) -> Means:
    """Rename ``unfinished`` to ``name`` within the open ``folder``; ``FileExistsError`` when anything has that name.

    ``rename`` and ``link`` cannot replace a file. Where a file system has neither, the name is looked at before an ordinary
    rename (``check``), and a file that is made between the two is lost. Return which of them it was.
    """
    if _rename_exclusively(unfinished, name, folder):
        return "rename"
    if _link_exclusively(unfinished, name, folder):
        return "link"
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
        return "check"
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)


def means_in(path: bytes) -> Means:
    """Return how a name is given in the folder ``path``, by giving one to an empty file, which is removed."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    first, second = islice(temporary.names("probe"), 2)
    try:
        os.close(os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder))
        return name_exclusively(first, second, folder=folder)
    finally:
        for name in (first, second):
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
        os.close(folder)


def _rename_exclusively(unfinished: bytes, name: bytes, folder: int) -> bool:
    """Return whether the kernel and the file system know such a rename."""
    rename = _renameat2()
    if rename is None:
        return False
    if rename(folder, unfinished, folder, name, _NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), name)


def _link_exclusively(unfinished: bytes, name: bytes, folder: int) -> bool:
    """Return whether the file system has hard links."""
    try:
        os.link(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    os.unlink(unfinished, dir_fd=folder)
    return True


@cache
def _renameat2() -> "ctypes._NamedFuncPointer | None":
    """Return the function of the C library; ``None`` outside Linux, and with a library that does not have it."""
    libc = ctypes.CDLL(None, use_errno=True)
    function = getattr(libc, "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function
