"""Translate errors of the operating system into errors of pixmill: for one file, or for the whole run."""

import errno
import os

from pixmill.core.errors import PixmillError, ReadError, RunError, WriteError
from pixmill.core.text import printable

#: errors after which the same call may succeed later: a flaky disk or network, or too many open files at the moment
TRANSIENT = frozenset({
    errno.EIO, errno.ESTALE, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.ETIMEDOUT,
})  # fmt: skip
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_READ_CODES = {
    errno.ENOENT: "read-vanished", errno.ENOTDIR: "read-vanished", errno.ESTALE: "read-vanished",
    errno.EACCES: "read-denied", errno.EPERM: "read-denied", errno.ENAMETOOLONG: "read-name",
    errno.ELOOP: "read-not-a-file", errno.ENXIO: "read-not-a-file", errno.EISDIR: "read-not-a-file",
}  # fmt: skip
_REFUSED_NAMES = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ})


def read_error(error: OSError, path: bytes) -> ReadError:
    """Return the ``ReadError`` for an ``error`` while reading ``path``."""
    number = error.errno or 0
    message = f"{printable(path)} could not be read: {_reason(error)}"
    return ReadError(message, code=_READ_CODES.get(number, ""), retryable=number in TRANSIENT)


def write_error(error: OSError, path: bytes, *, root: bytes) -> PixmillError:
    """Return the error for an ``error`` while writing ``path`` below ``root``: a ``RunError`` if no write can succeed."""
    number = error.errno or 0
    shown = printable(root)
    if number in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space (or inodes, or quota), then run the same command again: it continues where it stopped"
        return RunError(f"there is no space left for {shown}: {_reason(error)}", code="disk-full", hint=hint)
    if number == errno.EROFS:
        hint = "mount it writable or choose another destination, then run the same command again"
        return RunError(f"{shown} is on a read-only file system", code="read-only", hint=hint)
    if number in _DENIED and not os.access(root, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        hint = "give this user write permission there, or choose another destination"
        return RunError(f"{shown} cannot be written to: {_reason(error)}", code="not-writable", hint=hint)
    message = f"{printable(path)} could not be written: {_reason(error)}"
    if number in _REFUSED_NAMES:
        return WriteError(message, code="write-name", options={"portable_names": True})
    return WriteError(message, code="write-denied" if number in _DENIED else "", retryable=number in TRANSIENT)


def _reason(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, "")
    return f"{error.strerror or error} ({name})" if name else str(error)
