"""Rename a finished file without replacing an existing one, by the best method that the file system supports."""

import ctypes
import errno
import os
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Literal

from pixmill.storage.local import temporary

_NOREPLACE = 1  # RENAME_NOREPLACE, renameat2(2)
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.EACCES, errno.EXDEV, *_UNSUPPORTED})

RenameMethod = Literal["rename", "link", "check"]


def name_exclusively(unfinished: bytes, name: bytes, *, folder: int) -> RenameMethod:
    """Rename ``unfinished`` to ``name`` within the open ``folder``; ``FileExistsError`` if ``name`` exists.

    ``rename`` and ``link`` cannot replace a file. If a file system supports neither, the name is checked before an ordinary
    rename (``check``), and a file created between the two is lost. Return the method that was used.
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


def rename_method_in(path: bytes, *, tag: str) -> RenameMethod:
    """Return the rename method for the folder ``path``, found by renaming an empty file, which is then removed.

    The file is a temporary with ``tag``, so that the next run removes it if this process is killed in between.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    first, second = islice(temporary.names(tag), 2)
    try:
        os.close(os.open(first, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder))
        return name_exclusively(first, second, folder=folder)
    finally:
        for name in (first, second):
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
        os.close(folder)


def _rename_exclusively(unfinished: bytes, name: bytes, folder: int) -> bool:
    """Rename if the kernel and the file system support ``RENAME_NOREPLACE``; return whether they do."""
    rename = _renameat2()
    if rename is None:
        return False
    if rename(folder, unfinished, folder, name, _NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), name)


def _link_exclusively(unfinished: bytes, name: bytes, folder: int) -> bool:
    """Rename by way of a hard link if the file system supports them; return whether it does."""
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
    """Return the function of the C library; ``None`` outside Linux, or if the library lacks it."""
    libc = ctypes.CDLL(None, use_errno=True)
    function = getattr(libc, "renameat2", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function
