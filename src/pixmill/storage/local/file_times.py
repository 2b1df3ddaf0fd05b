"""File systems that do not let times of files be set (some of FUSE and SMB)."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

_UNSUPPORTED = frozenset({errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


@contextmanager
def suppressing_unsupported() -> Iterator[None]:
    """Ignore that the file system cannot set times."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def can_set_times(path: bytes) -> bool:
    """Tell whether the times of the file at ``path``, which is ours, can be set; they stay as they are."""
    status = os.stat(path)
    try:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    except OSError as error:
        return error.errno not in _UNSUPPORTED
    return True
