"""Read regular files, and nothing that could block or act: no FIFO, socket or device is ever waited for."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from pixmill.core.errors import ReadError
from pixmill.core.text import printable
from pixmill.storage.local.errors import read_error

# O_NONBLOCK lets a FIFO open at once; O_NOCTTY keeps a terminal from becoming ours
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_whole(path: bytes, *, limit: int, follow: bool) -> bytes:
    """Return the content of the file; ``ReadError`` ``limit-bytes`` above ``limit``, ``read-changed`` if it changed meanwhile."""
    with _opened(path, follow=follow) as (descriptor, before):
        if before.st_size > limit:
            message = f"{printable(path)} has {before.st_size} bytes, more than the limit of {limit}"
            raise ReadError(message, code="limit-bytes")
        # one byte more than there should be: it comes when the file has grown
        data = _read(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
    if (len(data), after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ReadError(f"{printable(path)} changed while it was read", code="read-changed", retryable=True)
    return data


def read_head(path: bytes, size: int, *, follow: bool) -> bytes:
    """Return the first ``size`` bytes of the file."""
    with _opened(path, follow=follow) as (descriptor, _):
        return _read(descriptor, size)


@contextmanager
def _opened(path: bytes, *, follow: bool) -> Iterator[tuple[int, os.stat_result]]:
    descriptor = -1
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else os.O_NOFOLLOW))
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ReadError(f"{printable(path)} is not a regular file", code="read-not-a-file")
        yield descriptor, found
    except OSError as error:
        if error.errno == errno.ELOOP and not follow and os.path.islink(path):
            hint = "--follow-symlinks takes the file that it leads to"
            raise ReadError(f"{printable(path)} is a symbolic link", code="read-not-a-file", hint=hint) from error
        raise read_error(error, path) from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _read(descriptor: int, size: int) -> bytes:
    parts = []
    missing = size
    while missing and (part := os.read(descriptor, missing)):
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
