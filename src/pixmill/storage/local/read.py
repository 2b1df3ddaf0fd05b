"""Read regular files only: a FIFO, socket or device never blocks the reader or is otherwise used."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from pixmill.core.errors import ReadError
from pixmill.core.operating_system import BINARY, CLOSED_ON_EXEC, NO_FOLLOW, NO_TERMINAL, NO_WAIT
from pixmill.core.text import printable
from pixmill.storage.local.errors import read_error
from pixmill.storage.storage import too_large

_FLAGS = os.O_RDONLY | NO_WAIT | NO_TERMINAL | CLOSED_ON_EXEC | BINARY


def read_all(path: bytes, *, limit: int, follow: bool) -> bytes:
    """Return the content of the file; ``ReadError`` ``limit-bytes`` above ``limit``, ``read-changed`` if it changes meanwhile."""
    with _opened(path, follow=follow) as (descriptor, before):
        if before.st_size > limit:
            raise too_large(path, before.st_size, limit)
        # one byte more than expected, to detect a file that has grown
        data = _read(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
    if (len(data), after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise ReadError(f"{printable(path)} changed while it was being read", code="read-changed", retryable=True)
    return data


def read_head(path: bytes, size: int, *, follow: bool) -> bytes:
    """Return the first ``size`` bytes of the file."""
    with _opened(path, follow=follow) as (descriptor, _):
        return _read(descriptor, size)


@contextmanager
def _opened(path: bytes, *, follow: bool) -> Iterator[tuple[int, os.stat_result]]:
    descriptor = -1
    try:
        descriptor = os.open(path, _FLAGS | (0 if follow else NO_FOLLOW))
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ReadError(f"{printable(path)} is not a regular file", code="read-not-a-file")
        yield descriptor, status
    except OSError as error:
        if error.errno == errno.ELOOP and not follow and os.path.islink(path):
            message, hint = f"{printable(path)} is a symbolic link", "to process the file that it leads to"
            raise ReadError(message, code="read-not-a-file", hint=hint, options={"follow_symlinks": True}) from error
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
